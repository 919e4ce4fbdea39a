//! Storing an object: its description and its chunks, in the order that suits its readers.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::timeout;
use wasmhost_protocol::names::{Names, header};

use super::delete::{delete, purge};
use super::description::{Description, stored_description, subject};
use super::error::{ObjectError, bounded};
use super::object::{Object, Readers};
use super::upload::Upload;
use crate::connect::{ANSWER_TIMEOUT, Connection};
use crate::ids::random_chunks_id;
use crate::publication::{Publication, publish};
use crate::publish_failure::PublishFailure;

/// The bytes of a chunk: three quarters of a server's default `max_payload`.
const CHUNK_BYTES: usize = 768 << 10;

/// Stores the object. Where that fails, whatever was stored of it is removed again, as far as the server does it.
pub(crate) async fn put(
    connection: &Connection,
    store: &str,
    object: &Object<'_>,
) -> Result<(), ObjectError> {
    // A server with a lower limit than the default gets smaller chunks, which leave room for headers.
    let chunk_bytes = CHUNK_BYTES.min(connection.client.max_payload() / 4 * 3).max(1);
    let upload = Upload {
        connection,
        store,
        object,
        id: random_chunks_id(),
        chunk_bytes,
        unsettled: AtomicBool::new(false),
    };
    match object.readers {
        Readers::Any => upload.describe_last().await,
        Readers::NoneYet => upload.describe_first().await,
    }
}

impl Upload<'_> {
    async fn describe_first(&self) -> Result<(), ObjectError> {
        let stored = bounded(self.object.name, async {
            match self.describe(Some(0)).await {
                // Only an earlier try of the same attempt can have left a description under the name.
                Err(PublishFailure::Conflict) => {
                    delete(self.connection, self.store, self.object.name).await?;
                    self.describe(Some(0)).await
                }
                described => described,
            }
            .map_err(|failure| self.unstored(failure))?;
            self.send_chunks().await
        });
        let stored = stored.await;
        if stored.is_err() && self.unsettled.load(Ordering::Relaxed) {
            // The description stays: a chunk that is stored after this is found by it.
            self.remove_chunks().await;
        } else if stored.is_err() {
            self.undo(delete(self.connection, self.store, self.object.name)).await;
        }
        stored
    }

    async fn describe_last(&self) -> Result<(), ObjectError> {
        let stored = bounded(self.object.name, async {
            let before = match stored_description(self.connection, self.store, self.object.name).await {
                Err(ObjectError::Corrupt { .. }) => None,
                before => before?.and_then(|before| before.id()),
            };
            self.send_chunks().await?;
            self.describe(None).await.map_err(|failure| self.unstored(failure))?;
            Ok(before)
        });
        match stored.await {
            Ok(None) => Ok(()),
            Ok(Some(before)) => {
                let subject = Names::object_chunks(self.store, &before);
                let purged = purge(self.connection, self.store, &subject).await;
                purged.map_err(|error| ObjectError::read(self.object.name, error))
            }
            Err(error) => {
                // A description without an answer may be stored after all, and then its chunks have to be there.
                // Whatever replaces it removes them.
                if let Ok(None) = stored_description(self.connection, self.store, self.object.name).await {
                    self.remove_chunks().await;
                }
                Err(error)
            }
        }
    }

    async fn remove_chunks(&self) {
        let subject = Names::object_chunks(self.store, &self.id);
        self.undo(purge(self.connection, self.store, &subject)).await;
    }

    /// Waits for a removal, not for long. What it leaves expires, or the reconciler finds it.
    async fn undo<T, E: std::fmt::Display>(&self, removal: impl Future<Output = Result<T, E>>) {
        match timeout(ANSWER_TIMEOUT, removal).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(name = self.object.name, %error, "left a part of an object"),
            Err(_) => tracing::debug!(name = self.object.name, "left a part of an object"),
        }
    }

    /// Stores the description over the one before; where a sequence is `expected`, only if that is the newest one's.
    async fn describe(&self, expected: Option<u64>) -> Result<(), PublishFailure> {
        let description = Description::of(self.store, self.object, &self.id, self.chunk_bytes);
        let mut message = Publication::new(description.to_bytes().into())
            // The roll-up removes the description before, so that there is one message under each name.
            .header(header::ROLLUP, header::ROLLUP_SUBJECT);
        if let Some(expected) = expected {
            message = message.header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, &expected.to_string());
        }
        if let Some(ttl) = self.ttl() {
            message = message.header(header::TTL, &ttl);
        }
        publish(self.connection, &subject(self.store, self.object.name), message).await.map(drop)
    }
}
