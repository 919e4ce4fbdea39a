//! The imports that may close a circle.

use super::graph::Edges;

/// Crate, importing module, imported module, and the reason why it cannot be otherwise.
type Allowed = (&'static str, &'static str, &'static str, &'static str);

/// All of them. There is none at the moment; clap's list of commands and a command that needs the list may become one.
const ALLOWED: [Allowed; 0] = [];

/// Takes the allowed imports of a crate out of its graph; returns a complaint about each that is not there.
pub(super) fn remove(krate: &str, edges: &mut Edges) -> Vec<String> {
    let path = |name: &str| name.split("::").map(ToOwned::to_owned).collect::<Vec<_>>();
    let mut complaints = Vec::new();
    for (_, from, to, reason) in ALLOWED.iter().filter(|(of, ..)| *of == krate) {
        let imported = edges.get_mut(&path(from)).is_some_and(|targets| targets.remove(&path(to)));
        // An exception that nothing needs any more would hide the next circle.
        if !imported {
            complaints.push(format!(
                "{krate}: {from} does not import {to} any more, which was allowed since {reason}; fix: take it out of \
                 circles/allowed.rs"
            ));
        }
    }
    complaints
}
