//! The module registry: by name, which version is current and which were; by digest, the component's bytes.

mod version;
mod view;

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::{Manifest, ModuleEntry};
use wasmhost_protocol::names::header;
use wasmhost_protocol::policy::{BadPolicy, Limits, Policy};

use crate::clock::now;
use crate::codes::Unstored;
use crate::connect::Connection;
use crate::direct::newest;
use crate::hashing::digest_of_large;
use crate::message::ReadError;
use crate::message::{MessageSelector, publish, read};
use crate::objects::{self, Object, ObjectError, Readers, Wanted};

pub use version::Version;
use version::{ENTRY_VERSION, version};
pub use view::RegistryView;

/// Tries of a change that others keep racing.
const TRIES: usize = 8;

/// Why a module was not found or changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No module of this name, or it was removed.
    #[error("find module {0}: there is none")]
    Unknown(ModuleName),
    /// The module has no such version, or none before the current one.
    #[error("roll back module {0}: no such version in its history")]
    NoSuchVersion(ModuleName),
    /// The component is larger than it may be.
    #[error("push module {name}: {bytes} bytes are more than {}", Limits::MODULE_BYTES)]
    TooLarge {
        /// The module.
        name: ModuleName,
        /// Its size.
        bytes: usize,
    },
    /// The policy asks for more, or for less, than there is.
    #[error("push module {name}")]
    Policy {
        /// The module.
        name: ModuleName,
        /// All that is wrong with it.
        source: BadPolicy,
    },
    /// Others changed the module at the same time, again and again.
    #[error("change module {0}: others change it at the same time")]
    Contended(ModuleName),
    /// The registry has no room.
    #[error("change module {name}: no room: {text}")]
    Full {
        /// The module.
        name: ModuleName,
        /// The server's words.
        text: String,
    },
    /// A permission is missing.
    #[error("change module {name}: {text}")]
    Denied {
        /// The module.
        name: ModuleName,
        /// The server's words.
        text: String,
    },
    /// The entry was not stored.
    #[error("change module {name}: {text}")]
    Unstored {
        /// The module.
        name: ModuleName,
        /// What went wrong.
        text: String,
    },
    /// The registry cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The component cannot be stored or read.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

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

/// A good copy is left in place: to replace it would break those who read it.
async fn store(connection: &Connection, digest: &Digest, wasm: &Bytes) -> Result<(), RegistryError> {
    match fetch(connection, digest).await {
        Ok(_) => Ok(()),
        Err(
            ObjectError::Missing(_)
            | ObjectError::Corrupt { .. }
            | ObjectError::Incomplete { .. }
            | ObjectError::TooLarge { .. }
            | ObjectError::Link(_),
        ) => {
            let (store, name) = (connection.names.components_store(), digest.to_string());
            let object = Object { name: &name, bytes: wasm, digest, readers: Readers::Any, ttl: None };
            Ok(objects::put(connection, &store, &object).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// The component's bytes, checked against the digest; at most `Limits::MODULE_BYTES`.
pub async fn fetch(connection: &Connection, digest: &Digest) -> Result<Bytes, ObjectError> {
    let name = digest.to_string();
    let wanted = Wanted { name: &name, digest, limit: Limits::MODULE_BYTES as u64 };
    objects::get(connection, &connection.names.components_store(), &wanted).await
}

/// The current version and its revision.
pub async fn current(
    connection: &Connection,
    name: &ModuleName,
) -> Result<Option<(ModuleEntry, u64)>, RegistryError> {
    let (stream, subject) = (connection.names.modules_stream(), connection.names.module_subject(name));
    let newest =
        read(connection, &stream, MessageSelector::LastOn(&subject)).await?.map(|message| version(&message));
    Ok(newest.and_then(|version| Some((version.entry?, version.revision))))
}

/// The module's versions, oldest first; empty for a name that was never pushed.
pub async fn history(connection: &Connection, name: &ModuleName) -> Result<Vec<Version>, RegistryError> {
    let (stream, subject) = (connection.names.modules_stream(), connection.names.module_subject(name));
    let mut versions = Vec::new();
    let mut from = 1;
    // From the leader, one by one: there are twenty at most, and what a change is decided by must be the newest.
    while let Some(message) = read(connection, &stream, MessageSelector::From(from, &subject)).await? {
        from = message.sequence + 1;
        versions.push(version(&message));
    }
    Ok(versions)
}

/// All modules that are not removed, with their current versions, by name.
pub async fn list(connection: &Connection) -> Result<Vec<(ModuleName, ModuleEntry)>, RegistryError> {
    let names = &connection.names;
    let (stream, filter) = (names.modules_stream(), names.modules_filter());
    let messages = newest(connection, &stream, &filter).await?;
    let rows = messages.iter().filter_map(|message| {
        let name = names.parse_module_subject(&message.subject).ok();
        name.zip(version(message).entry)
    });
    let mut modules: Vec<(ModuleName, ModuleEntry)> = rows.collect();
    modules.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(modules)
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

impl RegistryError {
    fn unstored(name: ModuleName, unstored: Unstored) -> Self {
        match unstored {
            Unstored::Full(text) => Self::Full { name, text },
            Unstored::Refused(text) => Self::Denied { name, text },
            unstored => Self::Unstored { name, text: unstored.into_text() },
        }
    }
}
