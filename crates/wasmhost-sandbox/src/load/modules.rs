//! What a loader remembers by digest: the modules in memory, the versions that failed, and the loads that are under
//! way.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lru::LruCache;
use wasmhost_protocol::digest::Digest;

use super::module::LoadedModule;
use crate::load_error::LoadError;

/// How long a failure is remembered.
const FAILURE_KEPT: Duration = Duration::from_secs(600);
/// How many failures are remembered; the oldest go first.
const FAILURES_KEPT: NonZeroUsize = NonZeroUsize::new(1_024).expect("not zero");

/// The modules and failures that a loader remembers.
pub(super) struct Modules {
    modules: LruCache<Digest, Arc<LoadedModule>>,
    /// The size of the code and data of all `modules`, in bytes.
    bytes: u64,
    /// The most that `bytes` may be, unless there is a single module.
    max_bytes: u64,
    failures: LruCache<Digest, (LoadError, Instant)>,
    load_locks: HashMap<Digest, Arc<tokio::sync::Mutex<()>>>,
}

impl Modules {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            modules: LruCache::unbounded(),
            bytes: 0,
            max_bytes,
            failures: LruCache::new(FAILURES_KEPT),
            load_locks: HashMap::new(),
        }
    }

    /// Returns the module if it is in memory, and counts that as a use of it.
    pub(super) fn get(&mut self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        self.modules.get(digest).cloned()
    }

    /// Returns the module if it is in memory, or why it failed not long ago.
    pub(super) fn get_or_failure(&mut self, digest: &Digest) -> Option<Result<Arc<LoadedModule>, LoadError>> {
        if let Some(module) = self.get(digest) {
            return Some(Ok(module));
        }
        // Looking at a failure does not keep it longer: the order is that in which they happened.
        let (error, failed_at) = self.failures.peek(digest)?;
        (failed_at.elapsed() < FAILURE_KEPT).then(|| Err(error.clone()))
    }

    /// Remembers a module or the failure of its component. A failure of the host is not remembered, since the next load
    /// may succeed.
    pub(super) fn remember(&mut self, digest: Digest, loaded: &Result<Arc<LoadedModule>, LoadError>) {
        match loaded {
            Ok(module) => self.insert(digest, module.clone()),
            Err(LoadError::Host(_)) => {}
            Err(error) => {
                self.failures.put(digest, (error.clone(), Instant::now()));
            }
        }
    }

    /// Inserts a module, and removes those that were used longest ago until all fit. The new one stays even if it alone
    /// has more than all may have: an attempt needs it now.
    fn insert(&mut self, digest: Digest, module: Arc<LoadedModule>) {
        self.bytes += module.bytes;
        if let Some(previous) = self.modules.put(digest, module) {
            self.bytes -= previous.bytes;
        }
        while self.bytes > self.max_bytes && self.modules.len() > 1 {
            if let Some((_, oldest)) = self.modules.pop_lru() {
                self.bytes -= oldest.bytes;
            }
        }
    }

    /// The lock that allows one load of a digest at a time. Locks that nobody holds or waits for are forgotten.
    pub(super) fn load_lock(&mut self, digest: &Digest) -> Arc<tokio::sync::Mutex<()>> {
        self.load_locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        self.load_locks.entry(*digest).or_default().clone()
    }
}
