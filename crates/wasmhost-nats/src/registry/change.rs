//! Changing the registry: every change is a compare-and-set on the newest version of the module.

use async_nats::jetstream::message::PublishMessage;
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
use crate::message::publish;
use crate::publish_failure::Unstored;

/// Tries of a change that others keep racing.
const TRIES: usize = 8;

/// Stores the component and makes it current. The current version pushed again, with the same policy, changes nothing.
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
    store(connection, &digest, &wasm).await?;
    let (v, bytes) = (ENTRY_VERSION, wasm.len() as u64);
    let entry = ModuleEntry { v, digest, bytes, pushed_at: now(), policy, manifest };
    change(connection, name, |versions| match versions.last().and_then(|version| version.entry.as_ref()) {
        Some(current) if current.digest == entry.digest && current.policy == entry.policy => {
            Ok(Next::Keep(current.clone()))
        }
        _ => Ok(Next::Write(entry.clone())),
    })
    .await
}

/// Makes an earlier version current again: the newest with the digest `to`, else the newest of another digest than the
/// current one's.
pub async fn rollback(
    connection: &Connection,
    name: &ModuleName,
    to: Option<Digest>,
) -> Result<ModuleEntry, RegistryError> {
    change(connection, name, |versions| {
        let current = versions.last().and_then(|version| version.entry.as_ref()).map(|entry| entry.digest);
        let mut entries = versions.iter().rev().filter_map(|version| version.entry.as_ref());
        let found = match to {
            Some(digest) => entries.find(|entry| entry.digest == digest),
            None => entries.find(|entry| Some(entry.digest) != current),
        };
        found.cloned().map(Next::Write).ok_or_else(|| RegistryError::NoSuchVersion(name.clone()))
    })
    .await
}

/// Removes the name. Its history stays, for jobs in flight.
pub async fn remove(connection: &Connection, name: &ModuleName) -> Result<(), RegistryError> {
    let removed = change(connection, name, |versions| match versions.last() {
        Some(Version { entry: Some(entry), .. }) => Ok(Next::Remove(entry.clone())),
        _ => Err(RegistryError::Unknown(name.clone())),
    });
    removed.await.map(drop)
}

/// What a change comes to, once the history is known.
enum Next {
    Keep(ModuleEntry),
    Write(ModuleEntry),
    Remove(ModuleEntry),
}

/// Reads, decides and writes by compare-and-set, again while others are faster.
async fn change(
    connection: &Connection,
    name: &ModuleName,
    decide: impl Fn(&[Version]) -> Result<Next, RegistryError>,
) -> Result<ModuleEntry, RegistryError> {
    for _ in 0..TRIES {
        let versions = history(connection, name).await?;
        let (entry, message) = match decide(&versions)? {
            Next::Keep(entry) => return Ok(entry),
            Next::Write(entry) => {
                let value = serde_json::to_vec(&entry).expect("an entry can be written as JSON");
                (entry, PublishMessage::build().payload(value.into()))
            }
            Next::Remove(entry) => {
                (entry, PublishMessage::build().header(header::KV_OPERATION, header::KV_DELETE))
            }
        };
        let expected = versions.last().map_or(0, |version| version.revision);
        let message = message.header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string().as_str());
        match publish(connection, &connection.names.module_subject(name), message).await {
            Ok(_) => return Ok(entry),
            Err(Unstored::Conflict) => {}
            Err(unstored) => return Err(RegistryError::unstored(name.clone(), unstored)),
        }
    }
    Err(RegistryError::Contended(name.clone()))
}
