//! What a host knows of modules: those that are loaded, those that failed, and those that are on their way.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmhost_protocol::digest::Digest;

use super::module::LoadedModule;
use crate::load_error::LoadError;

/// How long a failure is remembered.
const FAILURE_KEPT: Duration = Duration::from_secs(600);
/// Failures remembered at once.
const FAILURES_KEPT: usize = 1_024;

/// By digest.
pub(super) struct Known {
    /// The most that the loaded modules may have together. Those used longest ago go first, and come back from the cache.
    modules_bytes: u64,
    modules: HashMap<Digest, (Arc<LoadedModule>, Instant)>,
    failures: HashMap<Digest, (LoadError, Instant)>,
    busy: HashMap<Digest, Arc<tokio::sync::Mutex<()>>>,
}

impl Known {
    pub(super) fn new(modules_bytes: u64) -> Self {
        let (modules, failures, busy) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { modules_bytes, modules, failures, busy }
    }

    pub(super) fn module(&mut self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        let (module, used) = self.modules.get_mut(digest)?;
        *used = Instant::now();
        Some(module.clone())
    }

    /// The module, or why it failed not long ago.
    pub(super) fn answer(&mut self, digest: &Digest) -> Option<Result<Arc<LoadedModule>, LoadError>> {
        if let Some(module) = self.module(digest) {
            return Some(Ok(module));
        }
        let (error, at) = self.failures.get(digest)?;
        (at.elapsed() < FAILURE_KEPT).then(|| Err(error.clone()))
    }

    /// What the host failed at may succeed the next time.
    pub(super) fn remember(&mut self, digest: Digest, loaded: &Result<Arc<LoadedModule>, LoadError>) {
        match loaded {
            Ok(module) => {
                self.modules.remove(&digest);
                let most = self.modules_bytes.saturating_sub(module.bytes);
                while !self.modules.is_empty() && self.loaded_bytes() > most {
                    remove_oldest(&mut self.modules);
                }
                self.modules.insert(digest, (module.clone(), Instant::now()));
            }
            Err(LoadError::Host(_)) => {}
            Err(error) => {
                while self.failures.len() >= FAILURES_KEPT {
                    remove_oldest(&mut self.failures);
                }
                self.failures.insert(digest, (error.clone(), Instant::now()));
            }
        }
    }

    /// One load of a digest at a time; those that nobody waits for are forgotten.
    pub(super) fn busy(&mut self, digest: &Digest) -> Arc<tokio::sync::Mutex<()>> {
        self.busy.retain(|_, busy| Arc::strong_count(busy) > 1);
        self.busy.entry(*digest).or_default().clone()
    }

    fn loaded_bytes(&self) -> u64 {
        self.modules.values().map(|(module, _)| module.bytes).sum()
    }
}

fn remove_oldest<T>(kept: &mut HashMap<Digest, (T, Instant)>) {
    let oldest = kept.iter().min_by_key(|(_, (_, at))| *at).map(|(digest, _)| *digest);
    if let Some(oldest) = oldest {
        kept.remove(&oldest);
    }
}
