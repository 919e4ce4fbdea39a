//! The module registry for people and programs. It knows nothing of components: who pushes one brings its manifest.

use bytes::Bytes;
use wasmhost_nats::registry::{self, RegistryError, Version};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::{Manifest, ModuleEntry};
use wasmhost_protocol::policy::Policy;

use crate::client::Client;

/// The module registry.
#[derive(Clone, Copy)]
pub struct Modules<'a> {
    client: &'a Client,
}

impl<'a> Modules<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Stores a component and makes it the current version. The same again, with the same policy, changes nothing.
    pub async fn push(
        &self,
        name: &ModuleName,
        wasm: Bytes,
        policy: Policy,
        manifest: Manifest,
    ) -> Result<ModuleEntry, RegistryError> {
        registry::push(self.client.connection(), name, wasm, policy, manifest).await
    }

    /// All modules with their current versions, by name.
    pub async fn list(&self) -> Result<Vec<(ModuleName, ModuleEntry)>, RegistryError> {
        registry::list(self.client.connection()).await
    }

    /// The current version of a module.
    pub async fn show(&self, name: &ModuleName) -> Result<ModuleEntry, RegistryError> {
        let current = registry::current(self.client.connection(), name).await?;
        current.map(|(entry, _)| entry).ok_or_else(|| RegistryError::Unknown(name.clone()))
    }

    /// A module's versions that the registry still has, oldest first.
    pub async fn history(&self, name: &ModuleName) -> Result<Vec<Version>, RegistryError> {
        registry::history(self.client.connection(), name).await
    }

    /// The bytes of a version, checked against its digest.
    pub async fn fetch(&self, digest: &Digest) -> Result<Bytes, RegistryError> {
        Ok(registry::fetch(self.client.connection(), digest).await?)
    }

    /// Makes the version `to` current again, or the one before the current.
    pub async fn rollback(
        &self,
        name: &ModuleName,
        to: Option<Digest>,
    ) -> Result<ModuleEntry, RegistryError> {
        registry::rollback(self.client.connection(), name, to).await
    }

    /// Removes the name. Jobs that were claimed already keep their version.
    pub async fn remove(&self, name: &ModuleName) -> Result<(), RegistryError> {
        registry::remove(self.client.connection(), name).await
    }
}
