//! A module that is ready to start.

use std::fmt;

use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::manifest::Manifest;
use wasmtime::component::InstancePre;

use crate::description::Description;
use crate::guest::Guest;
use crate::inspect::manifest;
use crate::load_error::LoadError;
use crate::pool::PoolNeeds;

/// A compiled component with its tasks, ready to start.
pub struct LoadedModule {
    pub(super) digest: Digest,
    /// The component with its imports linked, from which instances are made.
    pub(crate) pre: InstancePre<Guest>,
    /// What the component exports and imports.
    pub(crate) description: Description,
    /// What each instance takes from the pool.
    pub(crate) needs: PoolNeeds,
    /// The size of its code and data, in bytes.
    pub(super) bytes: u64,
}

impl LoadedModule {
    /// The digest of the component's bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Derives the manifest of the component.
    ///
    /// # Errors
    ///
    /// Refuses a component without a single task: it can be loaded, but no job could name a task of it.
    pub fn manifest(&self) -> Result<Manifest, LoadError> {
        manifest(&self.description)
    }
}

impl fmt::Debug for LoadedModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedModule").field("digest", &self.digest).finish_non_exhaustive()
    }
}
