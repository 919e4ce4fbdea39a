//! A module that is ready to start.

use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::manifest::Manifest;
use wasmtime::component::InstancePre;

use crate::artifact::Description;
use crate::guest::Guest;
use crate::inspect::manifest;
use crate::load_error::LoadError;
use crate::pool::PoolNeeds;

/// A compiled component with its tasks, ready to start.
pub struct LoadedModule {
    pub(super) digest: Digest,
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) description: Description,
    /// What each instance takes of the pool.
    pub(crate) needs: PoolNeeds,
    /// Of its code and data.
    pub(super) bytes: u64,
}

impl LoadedModule {
    /// The digest of its bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What it exports and imports; refused where there is no task in it.
    pub fn manifest(&self) -> Result<Manifest, LoadError> {
        manifest(&self.description)
    }
}

impl std::fmt::Debug for LoadedModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedModule").field("digest", &self.digest).finish_non_exhaustive()
    }
}
