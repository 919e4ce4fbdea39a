//! From bytes to something that can be started: validated, compiled once per digest at a time, kept in memory and in
//! the local cache. Failures are remembered, because compiling hostile bytes again and again is an attack.

mod known;
mod module;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::text::escape;
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::cache::{Artifact, Cache};
use crate::compile::{Compilation, CompilePermit};
use crate::engine::MEMORIES;
use crate::guest::Guest;
use crate::load_error::{LoadError, NotLoaded};
use crate::pool::PoolNeeds;
use crate::validate::check_bytes;
use known::Known;
pub use module::LoadedModule;

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

impl Loader {
    pub(crate) fn new(
        linker: Linker<Guest>,
        compilation: Compilation,
        cache: Option<Cache>,
        blocking: Handle,
        max_memory_bytes: u64,
        modules_bytes: u64,
    ) -> Self {
        Self {
            engine: linker.engine().clone(),
            linker,
            compilation,
            cache,
            blocking,
            max_memory_bytes,
            known: Mutex::new(Known::new(modules_bytes)),
        }
    }

    pub(crate) fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// The module, from memory.
    pub(crate) fn loaded(&self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        self.known().module(digest)
    }

    /// The module, from memory or the local cache.
    pub(crate) async fn cached(self: &Arc<Self>, digest: &Digest) -> Option<Arc<LoadedModule>> {
        if let Some(module) = self.loaded(digest) {
            return Some(module);
        }
        self.cache.as_ref()?;
        let busy = self.known().busy(digest);
        let _busy = busy.lock().await;
        if let Some(module) = self.known().module(digest) {
            return Some(module);
        }
        self.from_disk(*digest).await
    }

    /// The version of a module with this digest. Its bytes are asked for only where they have to be compiled, and only when it
    /// is their turn: those who wait for theirs hold none.
    pub(crate) async fn load<E>(
        self: &Arc<Self>,
        module: &ModuleName,
        digest: Digest,
        fetch: impl Future<Output = Result<Bytes, E>>,
    ) -> Result<Arc<LoadedModule>, NotLoaded<E>> {
        let busy = self.known().busy(&digest);
        let _busy = busy.lock().await;
        if let Some(known) = self.known().answer(&digest) {
            return known.map_err(NotLoaded::Refused);
        }
        if let Some(module) = self.from_disk(digest).await {
            return Ok(module);
        }
        let turn = self.compilation.turn(module).await;
        let wasm = fetch.await.map_err(NotLoaded::NotFetched)?;
        let loaded = self.compile(turn, digest, wasm).await;
        self.known().remember(digest, &loaded);
        loaded.map_err(NotLoaded::Refused)
    }

    async fn from_disk(self: &Arc<Self>, digest: Digest) -> Option<Arc<LoadedModule>> {
        let loader = self.clone();
        let read = self.blocking.spawn_blocking(move || loader.read(digest));
        let module = read.await.ok().flatten()?;
        self.known().remember(digest, &Ok(module.clone()));
        Some(module)
    }

    fn read(&self, digest: Digest) -> Option<Arc<LoadedModule>> {
        let artifact = self.cache.as_ref()?.read(&digest)?;
        let module = self.prepare(digest, &artifact);
        module.inspect_err(|error| tracing::warn!(%digest, %error, "a cached artifact is of no use")).ok()
    }

    async fn compile(
        self: &Arc<Self>,
        turn: CompilePermit,
        digest: Digest,
        wasm: Bytes,
    ) -> Result<Arc<LoadedModule>, LoadError> {
        check_bytes(&wasm)?;
        let artifact = self.compilation.artifact(turn, &self.engine, &self.blocking, wasm).await?;
        let loader = self.clone();
        let prepared = self.blocking.spawn_blocking(move || loader.prepare_new(digest, artifact));
        prepared.await.map_err(|error| LoadError::Host(format!("preparing: {error}")))?
    }

    /// From the disk, where it can be kept there: what is mapped is no memory of this process's own.
    fn prepare_new(&self, digest: Digest, artifact: Vec<u8>) -> Result<Arc<LoadedModule>, LoadError> {
        let kept = self.keep(&digest, &artifact);
        if let Some(Ok(module)) = kept.map(|kept| self.prepare(digest, &kept)) {
            return Ok(module);
        }
        let module = self.prepare(digest, &Artifact::InMemory(artifact));
        if let (Err(_), Some(cache)) = (&module, &self.cache) {
            cache.forget(&digest);
        }
        module
    }

    /// A full disk costs memory, and the next start its time, and this job nothing.
    fn keep(&self, digest: &Digest, artifact: &[u8]) -> Option<Artifact> {
        let cache = self.cache.as_ref()?;
        if let Err(error) = cache.write(digest, artifact) {
            tracing::warn!(%digest, %error, "an artifact could not be cached");
            return None;
        }
        cache.read(digest)
    }

    fn prepare(&self, digest: Digest, artifact: &Artifact) -> Result<Arc<LoadedModule>, LoadError> {
        let cut = || LoadError::Host("an artifact is cut off".to_owned());
        let description = artifact.description().ok_or_else(cut)?;
        let largest_initial_bytes = description.memories.largest_initial_bytes;
        if largest_initial_bytes > self.max_memory_bytes {
            let most = self.max_memory_bytes;
            return Err(LoadError::Compile(format!(
                "a memory of it starts with {largest_initial_bytes} bytes; this host allows {most} (`wasmhost serve --memory-limit`)"
            )));
        }
        let component = artifact.load(&self.engine).map_err(|error| refused(&error))?;
        let memories = component.resources_required().map_or(MEMORIES, |needs| needs.num_memories);
        let pre = self.linker.instantiate_pre(&component).map_err(|error| refused(&error))?;
        let needs = PoolNeeds { memories: memories.saturating_add(description.memories.has_gc_heap.into()) };
        Ok(Arc::new(LoadedModule { digest, pre, description, needs, bytes: artifact.bytes() }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose fault it is that an artifact is not taken: a module may need more than the pool of slots has, and a machine may have no
/// memory, no addresses or no descriptor left.
fn refused(error: &wasmtime::Error) -> LoadError {
    let text = escape(&format!("{error:#}"));
    let of_the_machine = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<std::io::Error>()
            || cause.is::<rustix::io::Errno>()
            || cause.is::<wasmtime::error::OutOfMemory>()
    };
    if error.chain().any(of_the_machine) { LoadError::Host(text) } else { LoadError::Compile(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_memory_is_no_modules_fault() {
        let machine = wasmtime::Error::from(rustix::io::Errno::NOMEM).context("mapping an artifact");
        assert!(matches!(refused(&machine), LoadError::Host(text) if text.contains("mapping an artifact")));
        let machine = wasmtime::Error::from(std::io::Error::from(std::io::ErrorKind::OutOfMemory));
        assert!(matches!(refused(&machine), LoadError::Host(_)));
        let module = wasmtime::Error::msg("it has too many memories");
        assert!(matches!(refused(&module), LoadError::Compile(_)));
    }
}
