//! Removing an object: nothing is left of it, no tombstone either.

use serde::Deserialize;
use serde_json::json;
use wasmhost_protocol::names::Names;

use super::description::{stored_chunks, subject};
use super::error::{ObjectError, bounded};
use crate::api;
use crate::connect::Connection;
use crate::read_error::ReadError;

/// Removes the object; whether there was one. The chunks go first: whatever is cut short leaves a description by which the rest
/// is found. Who reads meanwhile finds it incomplete or missing.
pub(crate) async fn delete(connection: &Connection, store: &str, name: &str) -> Result<bool, ObjectError> {
    bounded(name, async {
        let (chunks, was_there) = match stored_chunks(connection, store, name).await {
            Ok(None) => return Ok(false),
            Ok(Some(description)) => (description.id(), !description.deleted),
            Err(ObjectError::Corrupt { .. }) => (None, true),
            Err(error) => return Err(error),
        };
        let chunks = chunks.map(|id| Names::object_chunks(store, &id));
        for subject in chunks.into_iter().chain([subject(store, name)]) {
            let purged = purge(connection, store, &subject).await;
            purged.map_err(|error| ObjectError::read(name, error))?;
        }
        Ok(was_there)
    })
    .await
}

#[derive(Deserialize)]
struct Purged {}

/// Removes what stands on a subject.
pub(super) async fn purge(connection: &Connection, store: &str, subject: &str) -> Result<(), ReadError> {
    let asked = Names::stream_purge(&Names::stream_of_store(store));
    let purging = api::ask::<Purged>(connection, asked.clone(), json!({ "filter": subject }));
    match connection.denials.or_denied(&asked, purging).await {
        Ok(Ok(Purged {})) => Ok(()),
        Ok(Err(error)) => Err(ReadError::new(subject.to_owned(), &error)),
        Err(text) => Err(ReadError::Denied { subject: subject.to_owned(), text }),
    }
}
