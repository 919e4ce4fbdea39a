//! The module registry for people and programs. The client cannot read a component: who pushes one brings its manifest.

use bytes::Bytes;
use wasmhost_nats::registry::{self, RegistryError, Version};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::{Manifest, ModuleEntry};
use wasmhost_protocol::policy::Policy;

use crate::client::Client;

/// The module registry, which says of each module which version is current and which ones came before.
#[derive(Clone, Copy)]
pub struct Modules<'a> {
    client: &'a Client,
}

impl Client {
    /// The module registry.
    #[must_use]
    pub fn modules(&self) -> Modules<'_> {
        Modules { client: self }
    }
}

impl Modules<'_> {
    /// Stores a component and makes it the current version of the module. Pushing the current version again with the same
    /// policy changes nothing.
    pub async fn push(
        &self,
        name: &ModuleName,
        wasm: Bytes,
        policy: Policy,
        manifest: Manifest,
    ) -> Result<ModuleEntry, RegistryError> {
        registry::push(self.client.connection(), name, wasm, policy, manifest).await
    }

    /// Lists all modules with their current versions, by name.
    pub async fn list(&self) -> Result<Vec<(ModuleName, ModuleEntry)>, RegistryError> {
        registry::list(self.client.connection()).await
    }

    /// Reads the current version of a module.
    pub async fn show(&self, name: &ModuleName) -> Result<ModuleEntry, RegistryError> {
        let current = registry::current(self.client.connection(), name).await?;
        current.map(|(entry, _)| entry).ok_or_else(|| RegistryError::Unknown(name.clone()))
    }

    /// Lists the versions of a module that the registry still has, oldest first.
    pub async fn history(&self, name: &ModuleName) -> Result<Vec<Version>, RegistryError> {
        registry::history(self.client.connection(), name).await
    }

    /// Fetches the bytes of a version and checks them against its digest.
    pub async fn fetch(&self, digest: &Digest) -> Result<Bytes, RegistryError> {
        Ok(registry::fetch(self.client.connection(), digest).await?)
    }

    /// Makes the version `to` current again, or without it the version before the current one.
    pub async fn rollback(
        &self,
        name: &ModuleName,
        to: Option<Digest>,
    ) -> Result<ModuleEntry, RegistryError> {
        registry::rollback(self.client.connection(), name, to).await
    }

    /// Removes the module. Jobs that were claimed already keep their version.
    pub async fn remove(&self, name: &ModuleName) -> Result<(), RegistryError> {
        registry::remove(self.client.connection(), name).await
    }
}
