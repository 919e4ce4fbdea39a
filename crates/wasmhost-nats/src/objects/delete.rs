//! Deleting an object. Nothing of it is left, not even a description that says so.

use wasmhost_protocol::names::Names;

use super::description::{stored_description, subject};
use super::error::{ObjectError, bounded};
use crate::connect::Connection;
use crate::read_error::ReadError;
use crate::streams;

/// Deletes the object, and says whether there was one. Whoever reads it meanwhile finds it incomplete or missing.
pub(crate) async fn delete(connection: &Connection, store: &str, name: &str) -> Result<bool, ObjectError> {
    bounded(name, async {
        let (chunks, was_there) = match stored_description(connection, store, name).await {
            Ok(None) => return Ok(false),
            Ok(Some(description)) => (description.id(), !description.deleted),
            Err(ObjectError::Corrupt { .. }) => (None, true),
            Err(error) => return Err(error),
        };
        let chunks = chunks.map(|id| Names::object_chunks(store, &id));
        // The chunks go first: after a crash in between, the rest is found by the description.
        for subject in chunks.into_iter().chain([subject(store, name)]) {
            let purged = purge(connection, store, &subject).await;
            purged.map_err(|error| ObjectError::read(name, error))?;
        }
        Ok(was_there)
    })
    .await
}

/// Removes all messages on a subject of the store.
pub(super) async fn purge(connection: &Connection, store: &str, subject: &str) -> Result<(), ReadError> {
    streams::purge(connection, &Names::stream_of_store(store), subject, None).await.map(drop)
}
