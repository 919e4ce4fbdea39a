//! What the registry answered about modules that this host's copy of it does not have. Answers are remembered for a moment, so
//! that many jobs of an unknown module cost one request a second, not one each.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wasmhost_nats::registry::RunnableVersion;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;

/// How long an answer stays valid. A crowd of jobs of a module that the registry does not have costs one request in this time, and
/// a module that is pushed meanwhile is found this much later.
const ANSWER_VALID_FOR: Duration = Duration::from_secs(1);
/// The most answers that are remembered. When there are more, all are forgotten.
const MAX_REMEMBERED: usize = 1_024;

/// A module, and the version of it that a job pins, if it pins one.
pub(super) type LookupKey = (ModuleName, Option<Digest>);
/// When the registry answered, and the version that it named; none where the module is unknown.
type Answer = (Instant, Option<RunnableVersion>);

/// The registry's recent answers.
#[derive(Debug, Default)]
pub(super) struct ModuleLookups(Mutex<HashMap<LookupKey, Answer>>);

impl ModuleLookups {
    /// Returns a recent answer; none where there is no answer, or it is too old.
    pub(super) fn recall(&self, key: &LookupKey) -> Option<Option<RunnableVersion>> {
        let (at, entry) = self.lock().get(key)?.clone();
        (at.elapsed() < ANSWER_VALID_FOR).then_some(entry)
    }

    /// Remembers an answer.
    pub(super) fn remember(&self, key: LookupKey, entry: Option<&RunnableVersion>) {
        let mut answers = self.lock();
        if answers.len() >= MAX_REMEMBERED {
            answers.clear();
        }
        answers.insert(key, (Instant::now(), entry.cloned()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LookupKey, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
