//! The sandbox as a host holds it: one engine, its slots, and the modules that were loaded.

use std::convert::Infallible;
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
use crate::load::{LoadedModule, Loader};
use crate::load_error::{LoadError, NotLoaded};
use crate::pool::Pool;
use crate::request::{AttemptHandle, AttemptRequest, OutcomeFuture};
use crate::updates::GuestUpdates;
use crate::{engine, imports};

/// What a sandbox is made of.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Attempts that run at once.
    pub slots: u32,
    /// Where compiled artifacts are kept; none: only in memory.
    pub cache_dir: Option<PathBuf>,
    /// Who compiles.
    pub compiler: Compiler,
    /// The most memory that any policy can have, in bytes.
    pub max_memory_bytes: u64,
    /// The most that the code and data of all loaded modules may have, in bytes. From a cache they are mapped, and the system
    /// takes their memory back where it runs short.
    pub modules_bytes: u64,
}

impl SandboxConfig {
    /// The most memory that a policy can have where nothing else is said.
    pub const MAX_MEMORY_BYTES: u64 = 512 << 20;
    /// The most that loaded modules have where nothing else is said: some thirty interpreters.
    pub const MODULES_BYTES: u64 = 1 << 30;
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The engine cannot be made.
    #[error("start the WebAssembly engine")]
    Engine(#[source] anyhow::Error),
    /// The cache's directory cannot be used.
    #[error("open the artifact cache {}", dir.display())]
    Cache {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The clock's threads cannot be started.
    #[error("start the epoch ticker")]
    Clock(#[source] std::io::Error),
}

/// Runs attempts. Clones share everything.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    loader: Arc<Loader>,
    guests: Handle,
    attempts: TaskTracker,
    pool: Arc<Pool>,
    max_memory_bytes: u64,
    _clock: Clock,
}

impl Sandbox {
    /// Whether compiled modules can be kept in this directory; it is made where it is missing.
    pub fn check_cache(dir: &Path) -> std::io::Result<()> {
        Cache::check(dir).map(drop)
    }

    /// Starts the engine and its clock; guests run on the runtime `guests`, which should do nothing else.
    pub fn new(config: SandboxConfig, guests: Handle) -> Result<Self, SandboxError> {
        let engine_failed = |error: wasmtime::Error| SandboxError::Engine(error.into());
        let engine = engine::pooling(config.slots, config.max_memory_bytes).map_err(engine_failed)?;
        let linker = imports::linker(&engine).map_err(engine_failed)?;
        let cache = config
            .cache_dir
            .map(|dir| Cache::open(&dir, &engine).map_err(|source| SandboxError::Cache { dir, source }));
        let compilation = Compilation::new(config.compiler);
        let loader = Loader::new(
            linker,
            compilation,
            cache.transpose()?,
            guests.clone(),
            config.max_memory_bytes,
            config.modules_bytes,
        );
        Ok(Self(Arc::new(Inner {
            loader: Arc::new(loader),
            guests,
            attempts: TaskTracker::new(),
            pool: Arc::new(Pool::new(config.slots)),
            max_memory_bytes: config.max_memory_bytes,
            _clock: Clock::start(engine).map_err(SandboxError::Clock)?,
        })))
    }

    /// Whether what is compiled is kept for the next time.
    #[must_use]
    pub fn has_cache(&self) -> bool {
        self.0.loader.has_cache()
    }

    /// The module, where it is in memory.
    #[must_use]
    pub fn loaded(&self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        self.0.loader.loaded(digest)
    }

    /// The module, from memory or the local cache; none: its bytes are needed.
    pub async fn cached(&self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        self.0.loader.cached(digest).await
    }

    /// The version of a module with this digest. Where it is neither in memory nor in the cache, `fetch` is asked for its bytes,
    /// whose SHA-256 the caller has checked, as soon as it is their turn to be compiled: modules take turns.
    pub async fn load_version<E>(
        &self,
        module: &ModuleName,
        digest: Digest,
        fetch: impl Future<Output = Result<Bytes, E>>,
    ) -> Result<Arc<LoadedModule>, NotLoaded<E>> {
        self.0.loader.load(module, digest, fetch).await
    }

    /// The same of bytes that are at hand, where there are no others that want a turn.
    pub async fn load(&self, digest: Digest, wasm: Bytes) -> Result<Arc<LoadedModule>, LoadError> {
        let module = ModuleName::parse("local").expect("`local` is a module's name");
        match self.load_version(&module, digest, async { Ok::<_, Infallible>(wasm) }).await {
            Ok(module) => Ok(module),
            Err(NotLoaded::Refused(error)) => Err(error),
        }
    }

    /// Starts one attempt in a fresh instance on the guests' runtime. Whatever happens is in its outcome.
    #[must_use = "dropping the outcome stops the attempt"]
    pub fn start(&self, module: &Arc<LoadedModule>, mut run: AttemptRequest) -> AttemptHandle {
        run.limits.memory_bytes = run.limits.memory_bytes.min(self.0.max_memory_bytes);
        let updates = Arc::new(GuestUpdates::new());
        let control = Arc::new(Control::with_lease(run.lease_end));
        let (ended, outcome) = oneshot::channel();
        let attempt = Attempt::new(module.clone(), run, updates.clone(), control.clone());
        let inner = self.0.clone();
        let task = async move {
            attempt.report(&inner.pool, &inner.guests, ended).await;
        };
        self.0.attempts.spawn_on(task, &self.0.guests);
        AttemptHandle { outcome: OutcomeFuture(outcome), updates, control }
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("attempts", &self.0.attempts.len()).finish_non_exhaustive()
    }
}
