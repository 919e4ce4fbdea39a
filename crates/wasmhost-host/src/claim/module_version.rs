//! Which version of its module a job runs, and by which policy: that of its first claim, once it has had one.

use wasmhost_nats::registry::{self, RegistryError};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::duration::format_duration;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::names::header;
use wasmhost_protocol::policy::{Ceiling, Over, Policy};
use wasmhost_protocol::record::{Record, StoredEntry};

use crate::delivery::Delivery;
use crate::host::Host;

/// The version that a first claim takes: pinned, or current. As this host knows it, and asked for where its watch may lag
/// behind a push.
pub(super) async fn find(host: &Host, delivery: &Delivery) -> Result<Option<ModuleEntry>, RegistryError> {
    let (module, pinned) = (delivery.key.task().module(), delivery.options.digest);
    let known = match &pinned {
        Some(digest) => host.registry.with_digest(&module, digest),
        None => host.registry.get(&module),
    };
    if known.is_some() {
        return Ok(known);
    }
    let asked = (module, pinned);
    if let Some(said) = host.lookups.recall(&asked) {
        return Ok(said);
    }
    let found = match &asked.1 {
        Some(digest) => history(host, &asked.0, digest).await?,
        None => registry::current(&host.connection, &asked.0).await?.map(|(entry, _)| entry),
    };
    host.lookups.remember(asked, found.as_ref());
    Ok(found)
}

async fn history(
    host: &Host,
    module: &ModuleName,
    digest: &Digest,
) -> Result<Option<ModuleEntry>, RegistryError> {
    let versions = registry::history(&host.connection, module).await?;
    Ok(versions.into_iter().rev().filter_map(|version| version.entry).find(|entry| entry.digest == *digest))
}

/// The policy of the version that the record names: pinned, or taken by its first claim.
pub(super) fn policy_of(host: &Host, record: &Record) -> Option<Policy> {
    let digest = record.digest?;
    host.registry.with_digest(&record.task.module(), &digest).map(|entry| entry.policy)
}

/// The record, where there is one that can be read.
pub(super) fn recorded(stored: &StoredEntry) -> Option<&Record> {
    match stored {
        StoredEntry::Record { record, .. } => Some(record),
        StoredEntry::Absent
        | StoredEntry::Deleted(_)
        | StoredEntry::Unreadable { .. }
        | StoredEntry::Newer { .. } => None,
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
