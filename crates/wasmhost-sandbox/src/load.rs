//! From bytes to something that can be started: validated, compiled once per digest at a time, kept in memory and in
//! the local cache. Failures are remembered, because compiling hostile bytes again and again is an attack.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use wasmhost_protocol::{Digest, Manifest, RefusedFunction, escape};
use wasmtime::Engine;
use wasmtime::component::{InstancePre, Linker};

use crate::artifact::{self, Description};
use crate::cache::{Cache, load_artifact};
use crate::compile::Compilation;
use crate::guest::Guest;
use crate::inspect::manifest;
use crate::limits::MEMORIES;
use crate::validate::check_bytes;

/// How long a failure is remembered.
const FAILURE_KEPT: Duration = Duration::from_secs(600);
/// Modules kept in memory; those used longest ago go first, and come back from the cache.
const MODULES_KEPT: usize = 256;
/// Failures remembered at once.
const FAILURES_KEPT: usize = 1_024;

/// Why bytes cannot be run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LoadError {
    /// They are something else; the text says what, and the mend.
    #[error("not a component: {0}")]
    NotAComponent(String),
    /// The component needs what no host provides.
    #[error("nobody provides the imports {}", .0.join(", "))]
    MissingImports(Vec<String>),
    /// It exports no task; each export with the reason.
    #[error("it exports no task{}", .0.iter().map(|it| format!("; `{}`: {}", it.name, it.reason)).collect::<String>())]
    NoTask(Vec<RefusedFunction>),
    /// More bytes than are compiled.
    #[error("{bytes} bytes; a module may have {limit}")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The largest that is taken, in bytes.
        limit: usize,
    },
    /// Native code, which only this host itself may make.
    #[error("this is a precompiled artifact; upload the component that it was made from")]
    Precompiled,
    /// The compiler refused it, or hit its limits.
    #[error("not compiled: {0}")]
    Compile(String),
    /// The host failed, not the module; it is not remembered.
    #[error("failed on this host: {0}")]
    Host(String),
}

/// A compiled component with its tasks, ready to start.
pub struct LoadedModule {
    digest: Digest,
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) description: Description,
    /// What each instance takes of the pool.
    pub(crate) needs: Needs,
}

/// What an instance takes of the pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    pub(crate) memories: u32,
}

impl LoadedModule {
    /// The digest of its bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What it exports and imports.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        manifest(&self.description.tasks, self.description.imports.clone())
    }
}

impl std::fmt::Debug for LoadedModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedModule").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// Loads modules for one engine.
pub(crate) struct Loader {
    engine: Engine,
    linker: Linker<Guest>,
    compilation: Compilation,
    cache: Option<Cache>,
    blocking: Handle,
    max_memory_bytes: u64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    modules: HashMap<Digest, (Arc<LoadedModule>, Instant)>,
    failures: HashMap<Digest, (LoadError, Instant)>,
    busy: HashMap<Digest, Arc<tokio::sync::Mutex<()>>>,
}

impl Loader {
    pub(crate) fn new(
        linker: Linker<Guest>,
        compilation: Compilation,
        cache: Option<Cache>,
        blocking: Handle,
        max_memory_bytes: u64,
    ) -> Self {
        Self {
            engine: linker.engine().clone(),
            linker,
            compilation,
            cache,
            blocking,
            max_memory_bytes,
            known: Mutex::default(),
        }
    }

    /// The module, from memory or the local cache.
    pub(crate) async fn cached(self: &Arc<Self>, digest: &Digest) -> Option<Arc<LoadedModule>> {
        if let Some(module) = self.known().module(digest) {
            return Some(module);
        }
        self.cache.as_ref()?;
        let turn = self.known().turn(digest);
        let _turn = turn.lock().await;
        if let Some(module) = self.known().module(digest) {
            return Some(module);
        }
        self.from_disk(*digest).await
    }

    /// The module that `wasm` is.
    pub(crate) async fn load(
        self: &Arc<Self>,
        digest: Digest,
        wasm: Bytes,
    ) -> Result<Arc<LoadedModule>, LoadError> {
        check_bytes(&wasm)?;
        let turn = self.known().turn(&digest);
        let _turn = turn.lock().await;
        if let Some(known) = self.known().answer(&digest) {
            return known;
        }
        if let Some(module) = self.from_disk(digest).await {
            return Ok(module);
        }
        let loaded = self.compile(digest, wasm).await;
        self.known().remember(digest, &loaded);
        loaded
    }

    async fn from_disk(self: &Arc<Self>, digest: Digest) -> Option<Arc<LoadedModule>> {
        let loader = self.clone();
        let read = self.blocking.spawn_blocking(move || {
            let artifact = loader.cache.as_ref()?.read(&digest)?;
            let module = loader.prepare(digest, &artifact);
            module.inspect_err(|error| tracing::warn!(%digest, %error, "a cached artifact is of no use")).ok()
        });
        let module = read.await.ok().flatten()?;
        self.known().remember(digest, &Ok(module.clone()));
        Some(module)
    }

    async fn compile(self: &Arc<Self>, digest: Digest, wasm: Bytes) -> Result<Arc<LoadedModule>, LoadError> {
        let artifact = self.compilation.artifact(&self.engine, &self.blocking, wasm).await?;
        let loader = self.clone();
        let prepared = self.blocking.spawn_blocking(move || {
            let module = loader.prepare(digest, &artifact)?;
            loader.keep(&digest, &artifact);
            Ok(module)
        });
        prepared.await.map_err(|error| LoadError::Host(format!("preparing: {error}")))?
    }

    /// A full disk costs the next start its time, and this job nothing.
    fn keep(&self, digest: &Digest, artifact: &[u8]) {
        if let Some(Err(error)) = self.cache.as_ref().map(|cache| cache.write(digest, artifact)) {
            tracing::warn!(%digest, %error, "an artifact could not be cached");
        }
    }

    fn prepare(&self, digest: Digest, artifact: &[u8]) -> Result<Arc<LoadedModule>, LoadError> {
        let refused = |error: wasmtime::Error| LoadError::Compile(escape(&format!("{error:#}")));
        let cut = || LoadError::Host("an artifact is cut off".to_owned());
        let (code, description) = artifact::split(artifact).ok_or_else(cut)?;
        let first_bytes = description.first_memory_bytes;
        if first_bytes > self.max_memory_bytes {
            let most = self.max_memory_bytes;
            return Err(LoadError::Compile(format!(
                "a memory of it starts with {first_bytes} bytes; this host allows {most} (`--memory-limit`)"
            )));
        }
        let component = load_artifact(&self.engine, code).map_err(refused)?;
        let memories = component.resources_required().map_or(MEMORIES, |needs| needs.num_memories);
        let pre = self.linker.instantiate_pre(&component).map_err(refused)?;
        // One more for the heap of collected objects: whether there is one shows only when it runs.
        let needs = Needs { memories: memories.saturating_add(1) };
        Ok(Arc::new(LoadedModule { digest, pre, description, needs }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn module(&mut self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        let (module, used) = self.modules.get_mut(digest)?;
        *used = Instant::now();
        Some(module.clone())
    }

    fn answer(&mut self, digest: &Digest) -> Option<Result<Arc<LoadedModule>, LoadError>> {
        if let Some(module) = self.module(digest) {
            return Some(Ok(module));
        }
        let (error, at) = self.failures.get(digest)?;
        (at.elapsed() < FAILURE_KEPT).then(|| Err(error.clone()))
    }

    fn remember(&mut self, digest: Digest, loaded: &Result<Arc<LoadedModule>, LoadError>) {
        match loaded {
            Ok(module) => {
                make_room(&mut self.modules, MODULES_KEPT);
                self.modules.insert(digest, (module.clone(), Instant::now()));
            }
            Err(LoadError::Host(_)) => {}
            Err(error) => {
                make_room(&mut self.failures, FAILURES_KEPT);
                self.failures.insert(digest, (error.clone(), Instant::now()));
            }
        }
    }

    /// One load of a digest at a time; those that nobody waits for are forgotten.
    fn turn(&mut self, digest: &Digest) -> Arc<tokio::sync::Mutex<()>> {
        self.busy.retain(|_, turn| Arc::strong_count(turn) > 1);
        self.busy.entry(*digest).or_default().clone()
    }
}

fn make_room<T>(kept: &mut HashMap<Digest, (T, Instant)>, most: usize) {
    while kept.len() >= most {
        let oldest = kept.iter().min_by_key(|(_, (_, at))| *at).map(|(digest, _)| *digest);
        let Some(oldest) = oldest else { return };
        kept.remove(&oldest);
    }
}
