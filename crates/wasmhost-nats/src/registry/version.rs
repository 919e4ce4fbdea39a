//! One version of a module in the registry.

use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::policy::Beside;

use crate::stored::StoredMessage;

/// The version of the entry's form.
pub(super) const ENTRY_VERSION: u32 = 1;

/// One entry of a module's history.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its revision.
    pub revision: u64,
    /// The entry; none where the module was removed, or the entry is of a form that this version does not know.
    pub entry: Option<ModuleEntry>,
}

pub(super) fn version(message: &StoredMessage) -> Version {
    let entry = serde_json::from_slice::<ModuleEntry>(&message.payload).ok();
    let entry = entry.filter(|entry| entry.v == ENTRY_VERSION).map(|entry| bounded(entry, message.sequence));
    Version { revision: message.sequence, entry }
}

/// An entry that was written before a bound was known, or past the client: nobody gets what is beside it, and its jobs run.
fn bounded(entry: ModuleEntry, revision: u64) -> ModuleEntry {
    let (policy, beside) = entry.policy.within_bounds();
    if !beside.is_empty() {
        let settings = beside.iter().map(Beside::to_string).collect::<Vec<_>>().join("; ");
        tracing::warn!(
            module.digest = %entry.digest, revision, settings,
            "the policy of a module in the registry is taken at its bounds; push the module again with a policy within them"
        );
    }
    ModuleEntry { policy, ..entry }
}
