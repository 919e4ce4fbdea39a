//! One version of a module, as the registry stores it.

use std::sync::Arc;

use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::policy::{Policy, SettingOutOfBounds};

use crate::stored::StoredMessage;

/// The version of the form in which an entry is written.
pub(super) const ENTRY_VERSION: u32 = 1;

/// One version in the history of a module.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The revision with which it was stored.
    pub revision: u64,
    /// What was stored; none where the module was removed, or the entry has a form that this program does not know.
    pub entry: Option<ModuleEntry>,
}

/// What running a version takes of its entry.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunnableVersion {
    /// The digest of its component.
    pub digest: Digest,
    /// Its policy, which each attempt shares.
    pub policy: Arc<Policy>,
}

impl From<&ModuleEntry> for RunnableVersion {
    fn from(entry: &ModuleEntry) -> Self {
        Self { digest: entry.digest, policy: Arc::new(entry.policy.clone()) }
    }
}

/// Reads a version from a message of the modules bucket.
pub(super) fn version(message: &StoredMessage) -> Version {
    let entry = serde_json::from_slice::<ModuleEntry>(&message.payload).ok();
    let entry = entry.filter(|entry| entry.v == ENTRY_VERSION).map(|entry| bounded(entry, message.sequence));
    Version { revision: message.sequence, entry }
}

/// The entry with its policy taken at its bounds.
fn bounded(entry: ModuleEntry, revision: u64) -> ModuleEntry {
    // A policy outside of its bounds was stored by an older program or past this crate. Refusing it would stop the
    // module's jobs; obeying it would give one module what no other one gets.
    let (policy, beside) = entry.policy.within_bounds();
    if !beside.is_empty() {
        let settings = beside.iter().map(SettingOutOfBounds::to_string).collect::<Vec<_>>().join("; ");
        tracing::warn!(
            module.digest = %entry.digest, revision, settings,
            "the policy of a module in the registry is taken at its bounds; push the module again with a policy within them"
        );
    }
    ModuleEntry { policy, ..entry }
}
