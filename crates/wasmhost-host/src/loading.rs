//! Modules on their way: whoever needs one that somebody fetches already waits for the same bytes. A cold start with a slot
//! each would hold as many copies.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use wasmhost_protocol::{Digest, Verdict};
use wasmhost_sandbox::LoadedModule;

/// A module, or how the attempts end that needed it.
type Loaded = Result<Arc<LoadedModule>, Verdict>;

/// What is on its way, by digest.
#[derive(Debug, Default)]
pub(crate) struct Loading(Mutex<HashMap<Digest, Arc<OnceCell<Loaded>>>>);

impl Loading {
    /// Loads once, whoever asks. Where the one who began gives up, the next one begins anew.
    pub(crate) async fn once<F>(&self, digest: Digest, load: F) -> Loaded
    where
        F: Future<Output = Loaded>,
    {
        let cell = self.lock().entry(digest).or_default().clone();
        let loaded = cell.get_or_init(|| load).await.clone();
        // What failed may succeed the next time; what succeeded is remembered by the sandbox.
        let mut loading = self.lock();
        if loading.get(&digest).is_some_and(|known| Arc::ptr_eq(known, &cell)) {
            loading.remove(&digest);
        }
        loaded
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Arc<OnceCell<Loaded>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::FutureExt;
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn a_module_is_fetched_once_for_all_who_need_it_at_the_same_time() {
        let (loading, fetches) = (Loading::default(), AtomicU32::new(0));
        let digest = wasmhost_nats::digest_of(b"x");
        let load = || async {
            fetches.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Err(Verdict::ModuleUnavailable("no answer".to_owned()))
        };
        // One that gives up before it has them leaves the work to the others.
        assert!(loading.once(digest, std::future::pending()).now_or_never().is_none());
        let all = join_all((0..128).map(|_| loading.once(digest, load()))).await;
        assert!(all.iter().all(Result::is_err));
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
        assert!(loading.once(digest, load()).await.is_err());
        assert_eq!(fetches.load(Ordering::Relaxed), 2, "a failure is not remembered");
    }
}
