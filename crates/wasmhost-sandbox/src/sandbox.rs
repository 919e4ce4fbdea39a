//! The sandbox as a host uses it: one engine with its pool of slots, and the modules that were loaded.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;

use crate::attempt::Attempt;
use crate::cache::Cache;
use crate::clock::Clock;
use crate::compile::{Compilation, Compiler};
use crate::control::Control;
use crate::load::{LoadedModule, Loader, Preparer};
use crate::load_error::{LoadError, NotLoaded};
use crate::pool::Pool;
use crate::request::{AttemptHandle, AttemptRequest, OutcomeFuture};
use crate::updates::GuestUpdates;
use crate::{engine, imports};

/// The settings of a sandbox. [`SandboxConfig::new`] makes them with the defaults of all but two.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SandboxConfig {
    /// How many attempts run at once.
    pub slots: u32,
    /// The directory where compiled artifacts are kept; none: they are kept in memory alone.
    pub cache_dir: Option<PathBuf>,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// The most memory that an attempt may have, whatever its policy says, in bytes.
    pub max_memory_bytes: u64,
    /// The most that the code and data of all loaded modules may have together, in bytes. Those from a cache are
    /// mapped, and the system takes their memory back where it runs short.
    pub modules_bytes: u64,
}

impl SandboxConfig {
    /// The default of `max_memory_bytes`.
    pub const MAX_MEMORY_BYTES: u64 = 512 << 20;
    /// The default of `modules_bytes`: room for some thirty interpreters.
    pub const MODULES_BYTES: u64 = 1 << 30;

    /// Settings for a sandbox without a cache, with the default limits.
    #[must_use]
    pub fn new(slots: u32, compiler: Compiler) -> Self {
        Self {
            slots,
            cache_dir: None,
            compiler,
            max_memory_bytes: Self::MAX_MEMORY_BYTES,
            modules_bytes: Self::MODULES_BYTES,
        }
    }
}

/// Why a sandbox could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The engine could not be made.
    #[error("start the WebAssembly engine")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The directory of the cache could not be used.
    #[error("open the artifact cache {}", dir.display())]
    Cache {
        /// The directory.
        dir: PathBuf,
        /// Why it could not be used.
        source: std::io::Error,
    },
    /// The threads of the clock could not be started.
    #[error("start the epoch ticker")]
    Clock(#[source] std::io::Error),
}

/// Loads modules and runs attempts at their tasks. Clones share everything.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    loader: Loader,
    guests: Handle,
    attempts: TaskTracker,
    pool: Arc<Pool>,
    max_memory_bytes: u64,
    _clock: Clock,
}

impl Sandbox {
    /// Checks that compiled artifacts can be kept in a directory, which is created if it is missing.
    ///
    /// # Errors
    ///
    /// Refuses a directory that cannot be written to, and one that other users can write to.
    pub fn check_cache(dir: &Path) -> std::io::Result<()> {
        Cache::check(dir)
    }

    /// Starts the engine and its clock. Guests run on the runtime `guests`, which should do nothing else, since a guest
    /// can delay whatever shares a thread with it.
    ///
    /// # Errors
    ///
    /// Fails if the engine, the directory of the cache or the threads of the clock cannot be had.
    pub fn new(config: SandboxConfig, guests: Handle) -> Result<Self, SandboxError> {
        let engine_failed = |error: wasmtime::Error| SandboxError::Engine(error.into());
        let engine = engine::pooling(config.slots, config.max_memory_bytes).map_err(engine_failed)?;
        let linker = imports::linker(&engine).map_err(engine_failed)?;
        let cache = config
            .cache_dir
            .map(|dir| Cache::open(&dir, &engine).map_err(|source| SandboxError::Cache { dir, source }));
        let preparer = Preparer::new(linker, cache.transpose()?, config.max_memory_bytes);
        // Blocking work goes to the runtime of the guests as well, and never to that of the caller, who has deadlines
        // to keep.
        let compilation = Compilation::new(config.compiler, engine.clone(), guests.clone());
        Ok(Self(Arc::new(Inner {
            loader: Loader::new(preparer, compilation, guests.clone(), config.modules_bytes),
            guests,
            attempts: TaskTracker::new(),
            pool: Arc::new(Pool::new(config.slots)),
            max_memory_bytes: config.max_memory_bytes,
            _clock: Clock::start(engine).map_err(SandboxError::Clock)?,
        })))
    }

    /// Whether compiled artifacts are kept on disk.
    #[must_use]
    pub fn has_cache(&self) -> bool {
        self.0.loader.has_cache()
    }

    /// Returns a module if it is in memory.
    #[must_use]
    pub fn loaded(&self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        self.0.loader.loaded(digest)
    }

    /// Returns a module if it is in memory or in the local cache; its bytes are not needed then.
    pub async fn cached(&self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        self.0.loader.cached(digest).await
    }

    /// Loads the version of a module that has this digest.
    ///
    /// If it is neither in memory nor in the cache, `fetch` is polled for its bytes as soon as it is their turn to be
    /// compiled; modules take turns. The caller checks that the SHA-256 of the bytes is the digest.
    ///
    /// # Errors
    ///
    /// Returns the error of `fetch`, or why the bytes cannot be run. What is the component's fault is remembered for
    /// ten minutes, and returned without a fetch.
    pub async fn load_version<E>(
        &self,
        module: &ModuleName,
        digest: Digest,
        fetch: impl Future<Output = Result<Bytes, E>>,
    ) -> Result<Arc<LoadedModule>, NotLoaded<E>> {
        self.0.loader.load(module, digest, fetch).await
    }

    /// Loads a component whose bytes are at hand, as [`load_version`](Self::load_version) does. All components that are
    /// loaded this way count as versions of one module.
    ///
    /// # Errors
    ///
    /// Returns why the bytes cannot be run.
    pub async fn load(&self, digest: Digest, wasm: Bytes) -> Result<Arc<LoadedModule>, LoadError> {
        let module = ModuleName::parse("local").expect("`local` is a module's name");
        match self.load_version(&module, digest, async { Ok::<_, Infallible>(wasm) }).await {
            Ok(module) => Ok(module),
            Err(NotLoaded::Refused(error)) => Err(error),
        }
    }

    /// Starts an attempt in a fresh instance on the runtime of the guests. Whatever happens to it is in its outcome.
    #[must_use = "dropping the outcome stops the attempt"]
    pub fn start(&self, module: &Arc<LoadedModule>, mut request: AttemptRequest) -> AttemptHandle {
        // The pool's memories are not larger, and the limit is what the guest is told when it reaches it.
        request.limits.memory_bytes = request.limits.memory_bytes.min(self.0.max_memory_bytes);
        let updates = Arc::new(GuestUpdates::new());
        let control = Arc::new(Control::with_lease(request.lease_end));
        let (ended, outcome) = oneshot::channel();
        let attempt = Attempt::new(module.clone(), request, updates.clone(), control.clone());
        let inner = self.0.clone();
        let task = async move {
            attempt.report(&inner.pool, &inner.guests, ended).await;
        };
        self.0.attempts.spawn_on(task, &self.0.guests);
        AttemptHandle { outcome: OutcomeFuture(outcome), updates, control }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("attempts", &self.0.attempts.len()).finish_non_exhaustive()
    }
}
