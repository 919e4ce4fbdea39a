//! Prepares an artifact for its start: checks it against the limits of this host, loads its code and links its imports.

use std::error::Error;
use std::sync::Arc;

use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::text::escape;
use wasmtime::component::Linker;

use super::module::LoadedModule;
use crate::artifact::Artifact;
use crate::cache::Cache;
use crate::engine::MEMORIES;
use crate::guest::Guest;
use crate::load_error::LoadError;
use crate::pool::PoolNeeds;

/// Turns artifacts into modules that can start.
pub(crate) struct Preparer {
    linker: Linker<Guest>,
    cache: Option<Cache>,
    max_memory_bytes: u64,
}

impl Preparer {
    /// A preparer for the engine of `linker`; `max_memory_bytes` is the most that any memory on this host may have.
    pub(crate) fn new(linker: Linker<Guest>, cache: Option<Cache>, max_memory_bytes: u64) -> Self {
        Self { linker, cache, max_memory_bytes }
    }

    pub(super) fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// Prepares the artifact that the cache has; none where it has none, or one that this host cannot use.
    pub(super) fn prepare_cached(&self, digest: Digest) -> Option<Arc<LoadedModule>> {
        let artifact = self.cache.as_ref()?.read(&digest)?;
        let module = self.prepare(digest, &artifact);
        module.inspect_err(|error| tracing::warn!(%digest, %error, "a cached artifact is of no use")).ok()
    }

    /// Prepares an artifact that was just compiled, from the cache if it can be written there: mapped code is no memory
    /// of this process's own.
    pub(super) fn prepare_compiled(
        &self,
        digest: Digest,
        artifact: Vec<u8>,
    ) -> Result<Arc<LoadedModule>, LoadError> {
        let cached = self.write_to_cache(&digest, &artifact);
        if let Some(Ok(module)) = cached.map(|cached| self.prepare(digest, &cached)) {
            return Ok(module);
        }
        let module = self.prepare(digest, &Artifact::InMemory(artifact));
        // A module that this host refuses would be read from the disk and refused again at each load.
        if let (Err(_), Some(cache)) = (&module, &self.cache) {
            cache.remove(&digest);
        }
        module
    }

    /// Writes an artifact and reads it back. A disk that is full costs memory now and a compilation at the next start,
    /// but no job.
    fn write_to_cache(&self, digest: &Digest, artifact: &[u8]) -> Option<Artifact> {
        let cache = self.cache.as_ref()?;
        if let Err(error) = cache.write(digest, artifact) {
            tracing::warn!(%digest, %error, "an artifact could not be cached");
            return None;
        }
        cache.read(digest)
    }

    fn prepare(&self, digest: Digest, artifact: &Artifact) -> Result<Arc<LoadedModule>, LoadError> {
        let cut_off = || LoadError::Host("an artifact is cut off".to_owned());
        let description = artifact.description().ok_or_else(cut_off)?;
        let initial_bytes = description.memories.largest_initial_bytes;
        // Such a memory would fail in every attempt, whatever the policy allows.
        if initial_bytes > self.max_memory_bytes {
            let most = self.max_memory_bytes;
            return Err(LoadError::Compile(format!(
                "a memory of it starts with {initial_bytes} bytes; this host allows {most} (`wasmhost serve --memory-limit`)"
            )));
        }
        // Loading checks the component against the pool of this host's engine.
        let component = artifact.load(self.linker.engine()).map_err(|error| refused(&error))?;
        let memories = component.resources_required().map_or(MEMORIES, |needs| needs.num_memories);
        let pre = self.linker.instantiate_pre(&component).map_err(|error| refused(&error))?;
        // The engine does not count the memory of collected objects among those of the component.
        let needs = PoolNeeds { memories: memories.saturating_add(description.memories.has_gc_heap.into()) };
        Ok(Arc::new(LoadedModule { digest, pre, description, needs, bytes: artifact.bytes() }))
    }
}

/// Decides whose fault it is that an artifact cannot be prepared: the module may need more than the pool has for one
/// component, or the machine may have no memory, addresses or descriptors left.
fn refused(error: &wasmtime::Error) -> LoadError {
    let text = escape(&format!("{error:#}"));
    let is_from_machine = |cause: &(dyn Error + 'static)| {
        cause.is::<std::io::Error>()
            || cause.is::<rustix::io::Errno>()
            || cause.is::<wasmtime::error::OutOfMemory>()
    };
    if error.chain().any(is_from_machine) { LoadError::Host(text) } else { LoadError::Compile(text) }
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
