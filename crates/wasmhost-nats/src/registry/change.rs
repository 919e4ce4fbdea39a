//! Changing the registry. Every change is a compare-and-set on the newest version of its module.

use bytes::Bytes;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::{Manifest, ModuleEntry};
use wasmhost_protocol::names::header;
use wasmhost_protocol::policy::{Limits, Policy};

use super::component::store;
use super::error::RegistryError;
use super::history::history;
use super::version::{ENTRY_VERSION, Version};
use crate::clock::now;
use crate::connect::Connection;
use crate::hashing::digest_of_large;
use crate::publication::{Publication, publish};
use crate::publish_failure::PublishFailure;

/// How often a change is tried that others keep racing with.
const TRIES: usize = 8;

/// What becomes of a module, once its history is known.
enum Change {
    /// The current version stays as it is.
    Keep(ModuleEntry),
    /// This becomes the current version.
    Write(ModuleEntry),
    /// The module is removed, whose current version is this one.
    Remove(ModuleEntry),
}

/// Stores the component and makes it the current version. Pushing the current version again with the same policy
/// changes nothing.
pub async fn push(
    connection: &Connection,
    name: &ModuleName,
    wasm: Bytes,
    policy: Policy,
    manifest: Manifest,
) -> Result<ModuleEntry, RegistryError> {
    if wasm.len() > Limits::MODULE_BYTES {
        return Err(RegistryError::TooLarge { name: name.clone(), bytes: wasm.len() });
    }
    policy.check().map_err(|source| RegistryError::Policy { name: name.clone(), source })?;
    let digest = digest_of_large(&wasm).await;
    // The bytes come first: no version may name a component that is not stored.
    store(connection, &digest, &wasm).await?;
    let bytes = wasm.len() as u64;
    let entry = ModuleEntry { v: ENTRY_VERSION, digest, bytes, pushed_at: now(), policy, manifest };
    change(connection, name, |versions| match current_of(versions) {
        Some(current) if current.digest == entry.digest && current.policy == entry.policy => {
            Ok(Change::Keep(current.clone()))
        }
        Some(_) | None => Ok(Change::Write(entry.clone())),
    })
    .await
}

/// Makes an earlier version current again: the newest one with the digest `to`, or without `to` the newest one that has
/// another digest than the current one.
pub async fn rollback(
    connection: &Connection,
    name: &ModuleName,
    to: Option<Digest>,
) -> Result<ModuleEntry, RegistryError> {
    change(connection, name, |versions| {
        let current = current_of(versions).map(|entry| entry.digest);
        let mut entries = versions.iter().rev().filter_map(|version| version.entry.as_ref());
        let found = match to {
            Some(digest) => entries.find(|entry| entry.digest == digest),
            None => entries.find(|entry| Some(entry.digest) != current),
        };
        found.cloned().map(Change::Write).ok_or_else(|| RegistryError::NoSuchVersion(name.clone()))
    })
    .await
}

/// Removes a module. Its history stays for jobs in flight, which name the versions of their first claims.
pub async fn remove(connection: &Connection, name: &ModuleName) -> Result<(), RegistryError> {
    let removed = change(connection, name, |versions| match current_of(versions) {
        Some(entry) => Ok(Change::Remove(entry.clone())),
        None => Err(RegistryError::Unknown(name.clone())),
    });
    removed.await.map(drop)
}

fn current_of(versions: &[Version]) -> Option<&ModuleEntry> {
    versions.last()?.entry.as_ref()
}

/// Reads the history, decides, and writes by compare-and-set; and begins anew where somebody else was faster.
async fn change(
    connection: &Connection,
    name: &ModuleName,
    decide: impl Fn(&[Version]) -> Result<Change, RegistryError>,
) -> Result<ModuleEntry, RegistryError> {
    for _ in 0..TRIES {
        let versions = history(connection, name).await?;
        let (entry, message) = match decide(&versions)? {
            Change::Keep(entry) => return Ok(entry),
            Change::Write(entry) => {
                let value = serde_json::to_vec(&entry).expect("an entry can be written as JSON");
                (entry, Publication::new(value.into()))
            }
            Change::Remove(entry) => {
                (entry, Publication::default().header(header::KV_OPERATION, header::KV_DELETE))
            }
        };
        let expected = versions.last().map_or(0, |version| version.revision);
        let message = message.header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, &expected.to_string());
        match publish(connection, &connection.names.module_subject(name), message).await {
            Ok(_) => return Ok(entry),
            Err(PublishFailure::Conflict) => {}
            Err(failure) => return Err(RegistryError::unstored(name.clone(), failure)),
        }
    }
    Err(RegistryError::Contended(name.clone()))
}
