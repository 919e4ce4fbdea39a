//! Which version of its module a job runs, and by which policy. A job that was claimed keeps the version of its first claim.

use std::sync::Arc;

use wasmhost_nats::registry::{self, RegistryError, RunnableVersion};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::duration::format_duration;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::names::header;
use wasmhost_protocol::policy::{Ceiling, OverCeiling, Policy};
use wasmhost_protocol::record::Record;

use super::module_lookups::{LookupKey, ModuleLookups};
use crate::delivery::Delivery;
use crate::storage::Storage;

/// Finds versions of modules: in this host's copy of the registry, and at the server where the copy may lag behind a push.
pub(super) struct ModuleVersions {
    storage: Storage,
    lookups: ModuleLookups,
}

impl ModuleVersions {
    /// Creates what finds versions; no answer of the registry is remembered yet.
    pub(super) fn new(storage: &Storage) -> Self {
        Self { storage: storage.clone(), lookups: ModuleLookups::default() }
    }

    /// Finds the version that a first claim takes: the one that the job pins, or the current one. None if there is none.
    pub(super) async fn find(&self, delivery: &Delivery) -> Result<Option<RunnableVersion>, RegistryError> {
        let module = delivery.key.task().module();
        let pinned = delivery.options.digest;
        let known = match &pinned {
            Some(digest) => self.storage.registry.with_digest(&module, digest),
            None => self.storage.registry.get(&module),
        };
        // The common path costs no request.
        if known.is_some() {
            return Ok(known);
        }
        Box::pin(self.look_up((module, pinned))).await
    }

    /// Asks the registry for a version that this host's copy does not have.
    async fn look_up(&self, lookup: LookupKey) -> Result<Option<RunnableVersion>, RegistryError> {
        if let Some(answer) = self.lookups.recall(&lookup) {
            return Ok(answer);
        }
        let (module, pinned) = &lookup;
        let found = match pinned {
            Some(digest) => self.find_in_history(module, digest).await?,
            None => registry::current(&self.storage.connection, module)
                .await?
                .map(|(entry, _)| RunnableVersion::from(&entry)),
        };
        self.lookups.remember(lookup, found.as_ref());
        Ok(found)
    }

    async fn find_in_history(
        &self,
        module: &ModuleName,
        digest: &Digest,
    ) -> Result<Option<RunnableVersion>, RegistryError> {
        let versions = registry::history(&self.storage.connection, module).await?;
        // The newest entry wins: a push of the same bytes may have changed their policy.
        let mut entries = versions.iter().rev().filter_map(|version| version.entry.as_ref());
        Ok(entries.find(|entry| entry.digest == *digest).map(RunnableVersion::from))
    }

    /// Returns the policy of the version that the record names because the job pins it, or its first claim took it.
    pub(super) fn policy_of(&self, record: &Record) -> Option<Arc<Policy>> {
        let digest = record.digest?;
        self.storage.registry.with_digest(&record.task.module(), &digest).map(|entry| entry.policy)
    }
}

/// Returns why a job is refused whose timeout is longer than its module's policy allows; nothing is reduced silently.
pub(super) fn over_policy(delivery: &Delivery, policy: &Policy) -> Option<String> {
    let allowed = policy.limits.timeout;
    let asked = delivery.options.timeout.filter(|timeout| *timeout > allowed)?;
    let asked = format_duration(asked);
    let allowed = format_duration(allowed);
    Some(format!("{}: {asked} is more than the {allowed} that the module's policy allows", header::TIMEOUT))
}

/// Returns everything that is over this host's ceiling, of the module's policy and of what the job asks for.
pub(super) fn over_ceiling(ceiling: &Ceiling, delivery: &Delivery, policy: &Policy) -> Option<String> {
    let mut over = ceiling.over_policy(policy);
    over.extend(ceiling.over_options(&delivery.options));
    let over: Vec<_> = over.iter().map(OverCeiling::to_string).collect();
    (!over.is_empty()).then(|| over.join("; "))
}
