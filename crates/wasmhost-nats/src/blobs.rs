//! Results and checkpoints that are too large for a record.

use std::time::Duration;

use bytes::Bytes;
use wasmhost_protocol::bounds;
use wasmhost_protocol::record::BlobRef;

use crate::connect::Connection;
use crate::hashing::digest_of_large;
use crate::objects::{self, Object, Readers, Wanted};
use crate::read_error::ReadError;
use crate::streams::state_of;

pub use crate::objects::ObjectError;

/// How long a blob stays by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Until it is deleted.
    UntilDeleted,
    /// So long, at least a second.
    For(Duration),
}

/// A blob that a walk comes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it stands among the others, in the order in which they were stored.
    pub place: u64,
    /// Its name, where it can be read.
    pub name: Option<String>,
    /// Whether it goes by itself.
    pub expires: bool,
}

/// Stores a blob under a name that nobody else uses (`Names::blob_name`), and that nobody is told before.
pub async fn put(
    connection: &Connection,
    name: &str,
    bytes: Bytes,
    life: Life,
) -> Result<BlobRef, ObjectError> {
    store(connection, name, bytes, (life, Readers::NoneYet)).await
}

/// Stores a blob anew under its name, which others may have been told: they read the one or the other.
pub async fn replace(
    connection: &Connection,
    name: &str,
    bytes: Bytes,
    life: Life,
) -> Result<BlobRef, ObjectError> {
    store(connection, name, bytes, (life, Readers::Any)).await
}

async fn store(
    connection: &Connection,
    name: &str,
    bytes: Bytes,
    (life, readers): (Life, Readers),
) -> Result<BlobRef, ObjectError> {
    let digest = digest_of_large(&bytes).await;
    let ttl = match life {
        Life::UntilDeleted => None,
        Life::For(ttl) => Some(ttl),
    };
    let object = Object { name, bytes: &bytes, digest: &digest, readers, ttl };
    objects::put(connection, &connection.names.blobs_store(), &object).await?;
    Ok(BlobRef { name: name.to_owned(), digest, bytes: bytes.len() as u64 })
}

/// The blob's bytes, checked against its size and digest.
pub async fn get(connection: &Connection, blob: &BlobRef) -> Result<Bytes, ObjectError> {
    let limit = bounds::BLOB_BYTES.nearest(blob.bytes);
    let wanted = Wanted { name: &blob.name, digest: &blob.digest, limit };
    objects::get(connection, &connection.names.blobs_store(), &wanted).await
}

/// Deletes a blob; whether there was one.
pub async fn delete(connection: &Connection, name: &str) -> Result<bool, ObjectError> {
    objects::delete(connection, &connection.names.blobs_store(), name).await
}

/// The first blob from this place on. It need not be whole.
pub async fn first(connection: &Connection, place: u64) -> Result<Option<Found>, ObjectError> {
    let found = objects::first(connection, &connection.names.blobs_store(), place).await?;
    Ok(found.map(|found| Found { place: found.sequence, name: found.name, expires: found.expires }))
}

/// The newest place there was, whether or not anything stands there.
pub async fn last_place(connection: &Connection) -> Result<u64, ReadError> {
    Ok(state_of(connection, &connection.names.blobs_stream()).await?.last)
}
