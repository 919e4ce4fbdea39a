//! Loading modules, each once for all attempts that need it: whoever needs one that is being fetched or compiled waits for the
//! same work. The work belongs to none of them. It goes on although the job that came first is revoked, and the others need not
//! begin anew ([Cold modules](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#cold)).

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
use wasmhost_nats::{Connection, registry};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::outcome::Verdict;
use wasmhost_protocol::text::format_size_rounded;
use wasmhost_sandbox::{LoadError, LoadedModule, NotLoaded, Sandbox};

use crate::life_cycle::LifeCycle;

/// A loaded module, or the verdict of the attempts that needed it.
type Loaded = Result<Arc<LoadedModule>, Verdict>;

/// Loads modules for all attempts of a host. It is cheap to clone.
#[derive(Clone)]
pub(crate) struct ModuleLoader {
    connection: Connection,
    life: LifeCycle,
    sandbox: Sandbox,
    loads: PendingLoads,
}

impl ModuleLoader {
    /// Creates the loader of a host.
    pub(crate) fn new(connection: &Connection, life: &LifeCycle, sandbox: &Sandbox) -> Self {
        Self {
            connection: connection.clone(),
            life: life.clone(),
            sandbox: sandbox.clone(),
            loads: PendingLoads::default(),
        }
    }

    /// Loads the version of a module with this digest: from memory, from the cache, or by fetching and compiling it.
    pub(crate) async fn load(&self, name: ModuleName, digest: Digest) -> Loaded {
        // Most attempts find their module in memory: nothing is spawned for them.
        if let Some(module) = self.sandbox.loaded(&digest) {
            return Ok(module);
        }
        let loader = self.clone();
        let load = |size| async move {
            tokio::select! {
                loaded = fetch_and_compile(&loader, &name, digest, &size) => loaded,
                // The jobs that wait for the module are handed off.
                () = loader.life.handing_off.cancelled() => Err(Verdict::Cancelled),
            }
        };
        // Boxed, since few attempts come here and each has room for all that it awaits.
        Box::pin(self.loads.load_once(&self.life.tracker, digest, load)).await
    }

    /// Describes how far a version is that is being loaded; none where it is not.
    pub(crate) fn describe(&self, name: &ModuleName, digest: &Digest) -> Option<String> {
        self.loads.describe(name, digest)
    }
}

/// The versions that are being loaded, by their digest. It is cheap to clone.
#[derive(Debug, Clone, Default)]
struct PendingLoads(Arc<Mutex<HashMap<Digest, PendingLoad>>>);

/// A version that is being loaded.
#[derive(Debug, Clone)]
struct PendingLoad {
    loaded: Shared<BoxFuture<'static, Loaded>>,
    size: ComponentSize,
}

/// The size of a component that was fetched, in bytes; 0 before that.
#[derive(Debug, Clone, Default)]
struct ComponentSize(Arc<AtomicUsize>);

async fn fetch_and_compile(
    loader: &ModuleLoader,
    name: &ModuleName,
    digest: Digest,
    size: &ComponentSize,
) -> Loaded {
    let fetch = async {
        let wasm = registry::fetch(&loader.connection, &digest).await?;
        size.0.store(wasm.len(), Ordering::Relaxed);
        Ok::<Bytes, ObjectError>(wasm)
    };
    loader.sandbox.load_version(name, digest, fetch).await.map_err(|error| verdict_of(error, digest))
}

/// Returns the verdict of the attempts that needed a module which could not be loaded. What the module's own bytes caused ends
/// their jobs; what the host or the server caused is tried again without a charge.
fn verdict_of(error: NotLoaded<ObjectError>, digest: Digest) -> Verdict {
    match error {
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
    }
}

impl PendingLoads {
    /// Describes how far a version is that is being loaded; none where it is not.
    fn describe(&self, name: &ModuleName, digest: &Digest) -> Option<String> {
        let bytes = self.lock().get(digest)?.size.0.load(Ordering::Relaxed);
        Some(match bytes {
            0 => format!("module {name} waits for its turn to be fetched and compiled, once on this host"),
            bytes => {
                let size = format_size_rounded(bytes as u64);
                format!("module {name} ({size}) is being compiled, once on this host")
            }
        })
    }

    /// Begins to load a version, unless that has begun already, and waits until it is loaded.
    async fn load_once<F>(
        &self,
        tracker: &TaskTracker,
        digest: Digest,
        load: impl FnOnce(ComponentSize) -> F,
    ) -> Loaded
    where
        F: Future<Output = Loaded> + Send + 'static,
    {
        let pending = self.lock().entry(digest).or_insert_with(|| self.begin(tracker, digest, load)).clone();
        pending.loaded.await
    }

    fn begin<F>(
        &self,
        tracker: &TaskTracker,
        digest: Digest,
        load: impl FnOnce(ComponentSize) -> F,
    ) -> PendingLoad
    where
        F: Future<Output = Loaded> + Send + 'static,
    {
        let size = ComponentSize::default();
        let loads = self.clone();
        let load = AssertUnwindSafe(load(size.clone())).catch_unwind();
        let loaded = async move {
            let panicked = |_| Err(Verdict::HostBug("loading a module panicked".to_owned()));
            let loaded = load.await.unwrap_or_else(panicked);
            // A load that failed may succeed the next time; one that succeeded is remembered by the sandbox.
            loads.lock().remove(&digest);
            loaded
        };
        let loaded = loaded.boxed().shared();
        // The host's own task drives the load: none of those who wait for it has to stay.
        tracker.spawn(loaded.clone());
        PendingLoad { loaded, size }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, PendingLoad>> {
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
        let pending = PendingLoads::default();
        let tracker = TaskTracker::new();
        let loads = Arc::new(AtomicU32::new(0));
        let may_end = Arc::new(Semaphore::new(0));
        let digest = Digest::of(b"x");
        let load = |_| {
            let loads = loads.clone();
            let may_end = may_end.clone();
            async move {
                loads.fetch_add(1, Ordering::Relaxed);
                drop(may_end.acquire().await);
                Err(Verdict::ModuleUnavailable("no answer".to_owned()))
            }
        };
        assert!(pending.load_once(&tracker, digest, load).now_or_never().is_none(), "this one gives up");
        let name = ModuleName::parse("m").unwrap();
        assert!(pending.describe(&name, &digest).unwrap().contains("module m waits"));
        let mut all = join_all((0..128).map(|_| pending.load_once(&tracker, digest, load)));
        assert!((&mut all).now_or_never().is_none());
        may_end.add_permits(1);
        assert!(all.await.iter().all(Result::is_err));
        assert_eq!(loads.load(Ordering::Relaxed), 1);
        assert!(pending.load_once(&tracker, digest, load).await.is_err());
        assert_eq!(loads.load(Ordering::Relaxed), 2, "a failure is not remembered");
        assert_eq!(pending.describe(&name, &digest), None);
    }

    #[tokio::test]
    async fn a_load_that_panics_is_a_bug_of_the_host_for_all_who_wait() {
        let pending = PendingLoads::default();
        let tracker = TaskTracker::new();
        let digest = Digest::of(b"x");
        let load = |_| async { panic!("on purpose") };
        let all = join_all((0..2).map(|_| pending.load_once(&tracker, digest, load))).await;
        assert!(all.iter().all(|loaded| matches!(loaded, Err(Verdict::HostBug(_)))), "{all:?}");
    }
}
