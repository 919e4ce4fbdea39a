//! Which version of its module a job runs, and by which policy: that of its first claim, once it has had one.

use wasmhost_nats::registry::{self, RegistryError};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::duration::format_duration;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::names::header;
use wasmhost_protocol::policy::{Ceiling, Over, Policy};
use wasmhost_protocol::record::Record;

use super::module_lookups::ModuleLookups;
use crate::delivery::Delivery;
use crate::storage::Storage;

/// Finds versions of modules: as this host last heard of them, and asked for where what it heard may lag behind a push.
pub(super) struct ModuleVersions {
    storage: Storage,
    lookups: ModuleLookups,
}

impl ModuleVersions {
    pub(super) fn new(storage: &Storage) -> Self {
        Self { storage: storage.clone(), lookups: ModuleLookups::default() }
    }

    /// The version that a first claim takes: the one that the job pins, or the current one.
    pub(super) async fn find(&self, delivery: &Delivery) -> Result<Option<ModuleEntry>, RegistryError> {
        let module = delivery.key.task().module();
        let pinned = delivery.options.digest;
        let known = match &pinned {
            Some(digest) => self.storage.registry.with_digest(&module, digest),
            None => self.storage.registry.get(&module),
        };
        if known.is_some() {
            return Ok(known);
        }
        let wanted = (module, pinned);
        if let Some(answer) = self.lookups.recall(&wanted) {
            return Ok(answer);
        }
        let found = match &wanted.1 {
            Some(digest) => self.find_in_history(&wanted.0, digest).await?,
            None => registry::current(&self.storage.connection, &wanted.0).await?.map(|(entry, _)| entry),
        };
        self.lookups.remember(wanted, found.as_ref());
        Ok(found)
    }

    async fn find_in_history(
        &self,
        module: &ModuleName,
        digest: &Digest,
    ) -> Result<Option<ModuleEntry>, RegistryError> {
        let versions = registry::history(&self.storage.connection, module).await?;
        let entries = versions.into_iter().rev().filter_map(|version| version.entry);
        Ok(entries.into_iter().find(|entry| entry.digest == *digest))
    }

    /// The policy of the version that the record names: pinned, or taken by the job's first claim.
    pub(super) fn policy_of(&self, record: &Record) -> Option<Policy> {
        let digest = record.digest?;
        self.storage.registry.with_digest(&record.task.module(), &digest).map(|entry| entry.policy)
    }
}

/// A value over the policy is refused, not clamped.
pub(super) fn over_policy(delivery: &Delivery, policy: &Policy) -> Option<String> {
    let asked = delivery.options.timeout.filter(|timeout| *timeout > policy.limits.timeout)?;
    let (asked, allowed) = (format_duration(asked), format_duration(policy.limits.timeout));
    Some(format!("{}: {asked} is more than the {allowed} that the module's policy allows", header::TIMEOUT))
}

/// The same for what is over this host's ceiling: of the module, whoever set it, and of the job.
pub(super) fn over_ceiling(ceiling: &Ceiling, delivery: &Delivery, policy: &Policy) -> Option<String> {
    let mut over = ceiling.over_policy(policy);
    over.extend(ceiling.over_options(&delivery.options));
    let over: Vec<_> = over.iter().map(Over::to_string).collect();
    (!over.is_empty()).then(|| over.join("; "))
}
