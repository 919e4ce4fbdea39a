//! The imports that may close a circle, each with its reason.

use super::graph::Edges;

/// An import that is left out of the graph.
struct Allowed {
    krate: &'static str,
    from: &'static str,
    to: &'static str,
    reason: &'static str,
}

/// All of them.
const ALLOWED: [Allowed; 1] = [Allowed {
    krate: "wasmhost-cli",
    from: "commands::completions",
    to: "cli",
    reason: "clap writes completions from the list of all commands, and this command is in the list",
}];

/// Takes the allowed imports of a crate out of its graph; returns a complaint about each that is not there.
pub(super) fn remove(krate: &str, edges: &mut Edges) -> Vec<String> {
    let path = |name: &str| name.split("::").map(ToOwned::to_owned).collect::<Vec<_>>();
    let mut complaints = Vec::new();
    for Allowed { from, to, reason, .. } in ALLOWED.iter().filter(|allowed| allowed.krate == krate) {
        let imported = edges.get_mut(&path(from)).is_some_and(|targets| targets.remove(&path(to)));
        if !imported {
            complaints.push(format!(
                "{krate}: {from} does not import {to} any more, which was allowed since {reason}; fix: take it out of \
                 circles/allowed.rs"
            ));
        }
    }
    complaints
}
