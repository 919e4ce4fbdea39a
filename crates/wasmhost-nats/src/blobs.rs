//! Blobs: results that are too large for a record, and checkpoints. Futures are boxed here: few jobs have blobs, and the future of
//! each job has room for all that it may await.

use std::time::Duration;

use bytes::Bytes;
use wasmhost_protocol::bounds;
use wasmhost_protocol::record::BlobRef;

use crate::connect::Connection;
use crate::hashing::digest_of_large;
use crate::objects::{self, Object, Readers, Wanted};
use crate::read_error::ReadError;
use crate::streams::stream_state;

pub use crate::objects::ObjectError;

/// How long a blob is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It is stored until somebody deletes it.
    UntilDeleted,
    /// The server deletes it after this time, which is at least a second.
    For(Duration),
}

/// A blob as a walk over the store finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The sequence of its description: blobs are walked in the order in which they were stored.
    pub place: u64,
    /// Its name; none where it cannot be read.
    pub name: Option<String>,
    /// Whether the server deletes it after some time.
    pub expires: bool,
}

/// Stores a blob under a name that nobody else uses (`Names::blob_name`), and that nobody is told before this returns.
pub async fn put(
    connection: &Connection,
    name: &str,
    bytes: Bytes,
    life: Life,
) -> Result<BlobRef, ObjectError> {
    store(connection, name, bytes, (life, Readers::NoneYet)).await
}

/// Stores a blob again under its name. Whoever has been told the name reads the old bytes or the new ones, each whole.
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
    let digest = Box::pin(digest_of_large(&bytes)).await;
    let ttl = match life {
        Life::UntilDeleted => None,
        Life::For(ttl) => Some(ttl),
    };
    let object = Object { name, bytes: &bytes, digest: &digest, readers, ttl };
    Box::pin(objects::put(connection, &connection.names.blobs_store(), &object)).await?;
    Ok(BlobRef { name: name.to_owned(), digest, bytes: bytes.len() as u64 })
}

/// Reads the blob's bytes, and checks them against the size and the digest that the record names.
pub async fn get(connection: &Connection, blob: &BlobRef) -> Result<Bytes, ObjectError> {
    // Whatever size the record claims, no more is read than the largest blob has.
    let limit = bounds::BLOB_BYTES.clamp(blob.bytes);
    let wanted = Wanted { name: &blob.name, digest: &blob.digest, limit };
    Box::pin(objects::get(connection, &connection.names.blobs_store(), &wanted)).await
}

/// Deletes a blob, and says whether there was one.
pub async fn delete(connection: &Connection, name: &str) -> Result<bool, ObjectError> {
    Box::pin(objects::delete(connection, &connection.names.blobs_store(), name)).await
}

/// Finds the first blob from this place on. It need not be whole.
pub async fn first(connection: &Connection, place: u64) -> Result<Option<Found>, ObjectError> {
    let found = objects::first(connection, &connection.names.blobs_store(), place).await?;
    Ok(found.map(|found| Found { place: found.sequence, name: found.name, expires: found.expires }))
}

/// Asks for the newest place that there was, whether or not a blob is still there.
pub async fn last_place(connection: &Connection) -> Result<u64, ReadError> {
    Ok(stream_state(connection, &connection.names.blobs_stream()).await?.last)
}
