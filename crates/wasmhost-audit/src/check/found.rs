//! What the checks have found so far.

use wasmhost_protocol::ids::JobKey;

use crate::report::{Gap, Invariant, Violation};

/// What the checks have found so far.
pub(super) struct Found {
    pub(super) violations: Vec<Violation>,
    pub(super) gaps: Vec<Gap>,
}

impl Found {
    pub(super) fn violation(
        &mut self,
        invariant: Invariant,
        key: &JobKey,
        revisions: &[u64],
        seen: impl Into<String>,
    ) {
        let key = key.clone();
        let revisions = revisions.to_vec();
        self.violations.push(Violation { invariant, key, revisions, seen: seen.into() });
    }
}
