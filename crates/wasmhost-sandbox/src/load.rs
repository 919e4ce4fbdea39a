//! Loads modules: from memory, from the local cache, or by compiling their bytes, once for all who wait for the same
//! digest. Failures are remembered, since compiling hostile bytes again and again would be an attack on the host.

mod module;
mod modules;
mod prepare;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;

use crate::compile::{Compilation, CompilePermit};
use crate::load_error::{LoadError, NotLoaded};
use crate::validate::check_bytes;
pub use module::LoadedModule;
use modules::Modules;
pub(crate) use prepare::Preparer;

/// Loads modules for one engine.
pub(crate) struct Loader {
    preparer: Arc<Preparer>,
    compilation: Compilation,
    blocking: Handle,
    modules: Mutex<Modules>,
}

impl Loader {
    /// A loader that keeps modules of at most `modules_bytes` of code and data in memory.
    pub(crate) fn new(
        preparer: Preparer,
        compilation: Compilation,
        blocking: Handle,
        modules_bytes: u64,
    ) -> Self {
        let modules = Mutex::new(Modules::new(modules_bytes));
        Self { preparer: Arc::new(preparer), compilation, blocking, modules }
    }

    /// Whether artifacts are kept on disk.
    pub(crate) fn has_cache(&self) -> bool {
        self.preparer.has_cache()
    }

    /// Returns the module if it is in memory.
    pub(crate) fn loaded(&self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        self.modules().get(digest)
    }

    /// Returns the module if it is in memory or in the local cache.
    pub(crate) async fn cached(&self, digest: &Digest) -> Option<Arc<LoadedModule>> {
        if let Some(module) = self.loaded(digest) {
            return Some(module);
        }
        if !self.has_cache() {
            return None;
        }
        let load_lock = self.modules().load_lock(digest);
        let _only_load = load_lock.lock().await;
        // Another caller may have loaded it while this one waited for the lock.
        if let Some(module) = self.loaded(digest) {
            return Some(module);
        }
        self.load_from_cache(*digest).await
    }

    /// Loads the version of a module with this digest. Its bytes are fetched only if they have to be compiled, and only
    /// when it is their turn, so that those who wait hold none.
    pub(crate) async fn load<E>(
        &self,
        module: &ModuleName,
        digest: Digest,
        fetch: impl Future<Output = Result<Bytes, E>>,
    ) -> Result<Arc<LoadedModule>, NotLoaded<E>> {
        let load_lock = self.modules().load_lock(&digest);
        let _only_load = load_lock.lock().await;
        if let Some(known) = self.modules().get_or_failure(&digest) {
            return known.map_err(NotLoaded::Refused);
        }
        if let Some(module) = self.load_from_cache(digest).await {
            return Ok(module);
        }
        // The permit comes before the bytes: a hundred versions that wait would otherwise hold theirs in memory.
        let permit = self.compilation.permit(module).await;
        let wasm = fetch.await.map_err(NotLoaded::NotFetched)?;
        let loaded = self.compile(permit, digest, wasm).await;
        self.modules().remember(digest, &loaded);
        loaded.map_err(NotLoaded::Refused)
    }

    async fn load_from_cache(&self, digest: Digest) -> Option<Arc<LoadedModule>> {
        let preparer = self.preparer.clone();
        let reading = self.blocking.spawn_blocking(move || preparer.prepare_cached(digest));
        let module = reading.await.ok().flatten()?;
        self.modules().remember(digest, &Ok(module.clone()));
        Some(module)
    }

    async fn compile(
        &self,
        permit: CompilePermit,
        digest: Digest,
        wasm: Bytes,
    ) -> Result<Arc<LoadedModule>, LoadError> {
        check_bytes(&wasm)?;
        let artifact = self.compilation.compile(permit, wasm).await?;
        let preparer = self.preparer.clone();
        let preparing = self.blocking.spawn_blocking(move || preparer.prepare_compiled(digest, artifact));
        preparing.await.map_err(|error| LoadError::Host(format!("preparing: {error}")))?
    }

    fn modules(&self) -> MutexGuard<'_, Modules> {
        self.modules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
