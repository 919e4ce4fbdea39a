//! What a host knows of modules: those that are loaded, those that failed, and those that are on their way.

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
/// Failures remembered at once.
const FAILURES_KEPT: NonZeroUsize = NonZeroUsize::new(1_024).expect("not zero");

/// By digest.
pub(super) struct Known {
    modules: LruCache<Digest, Arc<LoadedModule>>,
    /// The size of the code and data of all `modules`, in bytes.
    bytes: u64,
    /// The most that `bytes` may be, unless there is a single module.
    max_bytes: u64,
    failures: LruCache<Digest, (LoadError, Instant)>,
    busy: HashMap<Digest, Arc<tokio::sync::Mutex<()>>>,
}

impl Known {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            modules: LruCache::unbounded(),
            bytes: 0,
            max_bytes,
            failures: LruCache::new(FAILURES_KEPT),
            busy: HashMap::new(),
        }
    }

    pub(super) fn module(&mut self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        self.modules.get(digest).cloned()
    }

    /// The module, or why it failed not long ago.
    pub(super) fn answer(&mut self, digest: &Digest) -> Option<Result<Arc<LoadedModule>, LoadError>> {
        if let Some(module) = self.module(digest) {
            return Some(Ok(module));
        }
        let (error, at) = self.failures.peek(digest)?;
        (at.elapsed() < FAILURE_KEPT).then(|| Err(error.clone()))
    }

    /// What the host failed at may succeed the next time.
    pub(super) fn remember(&mut self, digest: Digest, loaded: &Result<Arc<LoadedModule>, LoadError>) {
        match loaded {
            Ok(module) => self.insert(digest, module.clone()),
            Err(LoadError::Host(_)) => {}
            Err(error) => {
                self.failures.put(digest, (error.clone(), Instant::now()));
            }
        }
    }

    /// One load of a digest at a time; those that nobody waits for are forgotten.
    pub(super) fn busy(&mut self, digest: &Digest) -> Arc<tokio::sync::Mutex<()>> {
        self.busy.retain(|_, busy| Arc::strong_count(busy) > 1);
        self.busy.entry(*digest).or_default().clone()
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
}
