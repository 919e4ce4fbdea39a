//! What the registry said of modules that this host's view does not have: remembered for a moment, so that a crowd of jobs
//! of an unknown module costs one look a second, not one each.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;

/// An answer is good for so long.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// Answers that are remembered; when there are more, all of them are forgotten.
const REMEMBERED: usize = 1_024;

/// A module, and the version of it that a job pins.
type Wanted = (ModuleName, Option<Digest>);

/// What the registry said a moment ago.
#[derive(Debug, Default)]
pub(super) struct ModuleLookups(Mutex<HashMap<Wanted, (Instant, Option<ModuleEntry>)>>);

impl ModuleLookups {
    /// What was said; none where nothing was, or too long ago.
    pub(super) fn recall(&self, wanted: &Wanted) -> Option<Option<ModuleEntry>> {
        let (at, entry) = self.lock().get(wanted)?.clone();
        (at.elapsed() < GOOD_FOR).then_some(entry)
    }

    /// Remembers what is said.
    pub(super) fn remember(&self, wanted: Wanted, entry: Option<&ModuleEntry>) {
        let mut said = self.lock();
        if said.len() >= REMEMBERED {
            said.clear();
        }
        said.insert(wanted, (Instant::now(), entry.cloned()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Wanted, (Instant, Option<ModuleEntry>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
