//! Modules on their way: whoever needs one that is fetched or compiled already waits for the same. The work belongs to none of
//! them: it goes on although the job that was first is revoked meanwhile, and the others need not begin anew.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio_util::task::TaskTracker;
use wasmhost_nats::blobs::ObjectError;
use wasmhost_nats::registry;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::outcome::Verdict;
use wasmhost_sandbox::{LoadError, LoadedModule, NotLoaded};

use crate::host::Host;

/// A module, or how the attempts end that needed it.
type Loaded = Result<Arc<LoadedModule>, Verdict>;

/// What is on its way, by digest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Loading(Arc<Mutex<HashMap<Digest, Coming>>>);

#[derive(Debug, Clone)]
struct Coming {
    loaded: Shared<BoxFuture<'static, Loaded>>,
    size: Size,
}

/// Of a component that is being compiled, in bytes; 0 before it is its turn.
#[derive(Debug, Clone, Default)]
struct Size(Arc<AtomicUsize>);

/// The version of a module with this digest: from memory, from the cache, or fetched and compiled, once, whoever asks.
pub(crate) async fn module(host: &Host, name: ModuleName, digest: Digest) -> Loaded {
    if let Some(module) = host.sandbox.loaded(&digest) {
        return Ok(module);
    }
    let loading = host.clone();
    let load = |size| async move {
        tokio::select! {
            loaded = load(&loading, &name, digest, &size) => loaded,
            // The jobs that wait are handed off.
            () = loading.draining.cancelled() => Err(Verdict::Cancelled),
        }
    };
    host.loading.once(&host.tracker, digest, load).await
}

async fn load(host: &Host, name: &ModuleName, digest: Digest, size: &Size) -> Loaded {
    let fetch = async {
        let wasm = registry::fetch(&host.connection, &digest).await?;
        size.0.store(wasm.len(), Ordering::Relaxed);
        Ok::<Bytes, ObjectError>(wasm)
    };
    host.sandbox.load_version(name, digest, fetch).await.map_err(|error| match error {
        NotLoaded::NotFetched(ObjectError::Missing(_)) => Verdict::UnknownModule(format!(
            "no version {digest} of this module is in the registry; push it again"
        )),
        NotLoaded::NotFetched(
            error @ (ObjectError::Link(_) | ObjectError::TooLarge { .. } | ObjectError::Corrupt { .. }),
        ) => Verdict::BadModule(error.to_string()),
        NotLoaded::NotFetched(error) => {
            Verdict::ModuleUnavailable(format!("could not fetch the module: {error}"))
        }
        NotLoaded::Refused(LoadError::Host(why)) => Verdict::ModuleUnavailable(why),
        NotLoaded::Refused(error) => Verdict::BadModule(error.to_string()),
    })
}

impl Loading {
    /// What is being done for a version that is on its way.
    pub(crate) fn describe(&self, name: &ModuleName, digest: &Digest) -> Option<String> {
        let bytes = self.lock().get(digest)?.size.0.load(Ordering::Relaxed);
        Some(match bytes {
            0 => format!("module {name} waits for its turn to be fetched and compiled, once on this host"),
            bytes => {
                let mib = bytes as f64 / f64::from(1 << 20);
                format!("module {name} ({mib:.1} MiB) is being compiled, once on this host")
            }
        })
    }

    /// Begins to load unless somebody has, and waits for what comes of it.
    async fn once<F>(&self, tracker: &TaskTracker, digest: Digest, load: impl FnOnce(Size) -> F) -> Loaded
    where
        F: Future<Output = Loaded> + Send + 'static,
    {
        let coming = self.lock().entry(digest).or_insert_with(|| self.begin(tracker, digest, load)).clone();
        coming.loaded.await
    }

    fn begin<F>(&self, tracker: &TaskTracker, digest: Digest, load: impl FnOnce(Size) -> F) -> Coming
    where
        F: Future<Output = Loaded> + Send + 'static,
    {
        let (size, loading) = (Size::default(), self.clone());
        let load = AssertUnwindSafe(load(size.clone())).catch_unwind();
        let loaded = async move {
            let bug = |_| Err(Verdict::HostBug("loading a module panicked".to_owned()));
            let loaded = load.await.unwrap_or_else(bug);
            // What failed may succeed the next time; what succeeded is remembered by the sandbox.
            loading.lock().remove(&digest);
            loaded
        };
        let loaded = loaded.boxed().shared();
        tracker.spawn(loaded.clone());
        Coming { loaded, size }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Coming>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn a_module_is_loaded_once_for_all_who_need_it_whoever_of_them_gives_up() {
        let (loading, tracker) = (Loading::default(), TaskTracker::new());
        let (loads, may_end) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
        let digest = wasmhost_nats::digest_of(b"x");
        let load = |_| {
            let (loads, may_end) = (loads.clone(), may_end.clone());
            async move {
                loads.fetch_add(1, Ordering::Relaxed);
                drop(may_end.acquire().await);
                Err(Verdict::ModuleUnavailable("no answer".to_owned()))
            }
        };
        assert!(loading.once(&tracker, digest, load).now_or_never().is_none(), "this one gives up");
        let name = ModuleName::parse("m").unwrap();
        assert!(loading.describe(&name, &digest).unwrap().contains("module m waits"));
        let mut all = join_all((0..128).map(|_| loading.once(&tracker, digest, load)));
        assert!((&mut all).now_or_never().is_none());
        may_end.add_permits(1);
        assert!(all.await.iter().all(Result::is_err));
        assert_eq!(loads.load(Ordering::Relaxed), 1);
        assert!(loading.once(&tracker, digest, load).await.is_err());
        assert_eq!(loads.load(Ordering::Relaxed), 2, "a failure is not remembered");
        assert_eq!(loading.describe(&name, &digest), None);
    }

    #[tokio::test]
    async fn a_load_that_panics_is_the_hosts_bug_to_all_who_wait() {
        let (loading, tracker) = (Loading::default(), TaskTracker::new());
        let digest = wasmhost_nats::digest_of(b"x");
        let load = |_| async { panic!("on purpose") };
        let all = join_all((0..2).map(|_| loading.once(&tracker, digest, load))).await;
        assert!(all.iter().all(|loaded| matches!(loaded, Err(Verdict::HostBug(_)))), "{all:?}");
    }
}
