//! Results and checkpoints that are too large for a record.

use bytes::Bytes;
use wasmhost_protocol::{BlobRef, bounds};

use crate::objects::{self, Wanted};
use crate::{Connection, digest_of};

pub use crate::objects::ObjectError;

/// Stores a blob under a name that nobody else uses (`Names::blob_name`).
pub async fn put(connection: &Connection, name: &str, bytes: Bytes) -> Result<BlobRef, ObjectError> {
    objects::put(connection, &connection.names.blobs_store(), name, &bytes).await?;
    Ok(BlobRef { name: name.to_owned(), digest: digest_of(&bytes), bytes: bytes.len() as u64 })
}

/// The blob's bytes, checked against its size and digest.
pub async fn get(connection: &Connection, blob: &BlobRef) -> Result<Bytes, ObjectError> {
    let limit = usize::try_from(bounds::BLOB_BYTES.nearest(blob.bytes)).unwrap_or(usize::MAX);
    let wanted = Wanted { name: &blob.name, digest: &blob.digest, limit };
    objects::get(connection, &connection.names.blobs_store(), &wanted).await
}

/// Deletes a blob; whether there was one.
pub async fn delete(connection: &Connection, name: &str) -> Result<bool, ObjectError> {
    objects::delete(connection, &connection.names.blobs_store(), name).await
}

/// The names of all blobs, in no order.
pub async fn names(connection: &Connection) -> Result<Vec<String>, ObjectError> {
    objects::names(connection, &connection.names.blobs_store()).await
}
