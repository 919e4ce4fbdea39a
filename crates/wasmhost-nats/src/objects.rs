//! Bytes in an object store: whole, bounded, checked against their digest.

use std::time::Duration;

use async_nats::jetstream::object_store::{GetErrorKind, InfoErrorKind, ObjectMetadata, ObjectStore};
use bytes::Bytes;
use futures::TryStreamExt;
use tokio::io::AsyncReadExt;
use wasmhost_protocol::Digest;

use crate::{Connection, digest_of};

/// Bytes of a chunk, below the server's default `max_payload` of 1 MiB.
const CHUNK_BYTES: usize = 1_000_000;
/// How long the transfer of one object may take.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(60);

/// Why an object was not stored or read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// There is none.
    #[error("read object `{0}`: there is none")]
    Missing(String),
    /// It is a link to another object.
    #[error("read object `{0}`: it is a link")]
    Link(String),
    /// It is larger than it may be.
    #[error("read object `{name}`: it has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Its name.
        name: String,
        /// Its size.
        bytes: usize,
        /// What it may have.
        limit: usize,
    },
    /// Its bytes have another digest.
    #[error("read object `{name}`: its digest is {found}")]
    Corrupt {
        /// Its name.
        name: String,
        /// The digest of its bytes.
        found: Digest,
    },
    /// A permission is missing.
    #[error("use object `{name}`: {text}")]
    Denied {
        /// Its name.
        name: String,
        /// The server's words.
        text: String,
    },
    /// No answer, no room, or a broken transfer.
    #[error("use object `{name}`: {text}")]
    Failed {
        /// Its name.
        name: String,
        /// What went wrong.
        text: String,
    },
}

/// What is read: by name, and only with this digest.
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) digest: &'a Digest,
    pub(crate) limit: usize,
}

pub(crate) async fn put(
    connection: &Connection,
    store: &str,
    name: &str,
    bytes: &Bytes,
) -> Result<(), ObjectError> {
    // A chunk needs room for its subject in the payload limit of a server that was set low.
    let chunk = CHUNK_BYTES.min(connection.client.max_payload() / 4 * 3);
    let metadata =
        ObjectMetadata { name: name.to_owned(), chunk_size: Some(chunk), ..ObjectMetadata::default() };
    bounded(connection, store, name, async {
        let objects = open(connection, store, name).await?;
        objects.put(metadata, &mut bytes.as_ref()).await.map(drop).map_err(|error| failed(name, error))
    })
    .await
}

pub(crate) async fn get(
    connection: &Connection,
    store: &str,
    wanted: &Wanted<'_>,
) -> Result<Bytes, ObjectError> {
    let bytes = bounded(connection, store, wanted.name, read(connection, store, wanted)).await?;
    let found = digest_of(&bytes);
    if found == *wanted.digest {
        Ok(bytes)
    } else {
        Err(ObjectError::Corrupt { name: wanted.name.to_owned(), found })
    }
}

/// Deletes the object; whether there was one.
pub(crate) async fn delete(connection: &Connection, store: &str, name: &str) -> Result<bool, ObjectError> {
    bounded(connection, store, name, async {
        let objects = open(connection, store, name).await?;
        match objects.info(name).await {
            Err(error) if error.kind() == InfoErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(name, error)),
            Ok(info) if info.deleted => return Ok(false),
            Ok(_) => {}
        }
        objects.delete(name).await.map(|()| true).map_err(|error| failed(name, error))
    })
    .await
}

/// The names of all objects that are not deleted.
pub(crate) async fn names(connection: &Connection, store: &str) -> Result<Vec<String>, ObjectError> {
    bounded(connection, store, store, async {
        let objects = open(connection, store, store).await?;
        let listed = objects.list().await.map_err(|error| failed(store, error))?;
        let names = listed.map_ok(|info| info.name).try_collect().await;
        names.map_err(|error| failed(store, error))
    })
    .await
}

async fn read(connection: &Connection, store: &str, wanted: &Wanted<'_>) -> Result<Bytes, ObjectError> {
    let Wanted { name, limit, .. } = *wanted;
    let objects = open(connection, store, name).await?;
    let object = objects.get(name).await.map_err(|error| match error.kind() {
        GetErrorKind::NotFound => ObjectError::Missing(name.to_owned()),
        GetErrorKind::BucketLink => ObjectError::Link(name.to_owned()),
        _ => failed(name, error),
    })?;
    let info = object.info();
    // The client follows links to objects: what it comes back with then has another name or store.
    if info.name != name || info.bucket != store {
        return Err(ObjectError::Link(name.to_owned()));
    }
    if info.size > limit {
        return Err(ObjectError::TooLarge { name: name.to_owned(), bytes: info.size, limit });
    }
    let mut bytes = Vec::with_capacity(info.size);
    // One more than allowed, so that a description that lies shows by its digest.
    let mut bounded = object.take(limit as u64 + 1);
    bounded.read_to_end(&mut bytes).await.map_err(|error| failed(name, error))?;
    Ok(bytes.into())
}

async fn open(connection: &Connection, store: &str, name: &str) -> Result<ObjectStore, ObjectError> {
    connection.jetstream.get_object_store(store).await.map_err(|error| failed(name, error))
}

fn failed(name: &str, error: impl std::fmt::Display) -> ObjectError {
    ObjectError::Failed { name: name.to_owned(), text: error.to_string() }
}

async fn bounded<T>(
    connection: &Connection,
    store: &str,
    name: &str,
    transfer: impl Future<Output = Result<T, ObjectError>>,
) -> Result<T, ObjectError> {
    let transfer = tokio::time::timeout(TRANSFER_TIMEOUT, transfer);
    match connection.denials.or_denied(store, transfer).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(failed(name, "the transfer took too long")),
        Err(text) => Err(ObjectError::Denied { name: name.to_owned(), text }),
    }
}
