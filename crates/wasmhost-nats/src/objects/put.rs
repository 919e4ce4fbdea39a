//! Storing an object: a description and chunks, each acknowledged. The chunks go over the second connection: beats and records
//! do not queue behind megabytes, and what was not sent is not sent later.

use std::sync::atomic::{AtomicBool, Ordering};

use async_nats::jetstream::message::PublishMessage;
use tokio::time::timeout;
use wasmhost_protocol::names::{Names, header};

use super::delete::{delete, purge};
use super::description::{Description, stored_chunks, subject};
use super::error::{ObjectError, bounded};
use super::object::{Object, Readers};
use super::upload::Upload;
use crate::connect::{ANSWER_TIMEOUT, Connection};
use crate::ids::random_chunks;
use crate::message::publish;
use crate::publish_failure::Unstored;

/// Bytes of a chunk: three quarters of the default `max_payload` of a server.
const CHUNK_BYTES: usize = 768 << 10;

/// Stores the object. Where that fails, what was stored of it is removed again, as far as the server does it.
pub(crate) async fn put(
    connection: &Connection,
    store: &str,
    object: &Object<'_>,
) -> Result<(), ObjectError> {
    // A chunk needs room for its subject in the payload limit of a server that was set low.
    let chunk_bytes = CHUNK_BYTES.min(connection.client.max_payload() / 4 * 3).max(1);
    let upload = Upload {
        connection,
        store,
        object,
        id: random_chunks(),
        chunk_bytes,
        unsettled: AtomicBool::new(false),
    };
    match object.readers {
        Readers::Any => upload.described_last().await,
        Readers::NoneYet => upload.described_first().await,
    }
}

impl Upload<'_> {
    async fn described_first(&self) -> Result<(), ObjectError> {
        let stored = bounded(self.object.name, async {
            match self.describe(Some(0)).await {
                Err(Unstored::Conflict) => {
                    delete(self.connection, self.store, self.object.name).await?;
                    self.describe(Some(0)).await
                }
                described => described,
            }
            .map_err(|unstored| self.unstored(unstored))?;
            self.send_chunks().await
        });
        let stored = stored.await;
        if stored.is_err() && self.unsettled.load(Ordering::Relaxed) {
            // Under its description it is found, should it be stored after this.
            let subject = Names::object_chunks(self.store, &self.id);
            self.undo(purge(self.connection, self.store, &subject)).await;
        } else if stored.is_err() {
            self.undo(delete(self.connection, self.store, self.object.name)).await;
        }
        stored
    }

    async fn described_last(&self) -> Result<(), ObjectError> {
        let stored = bounded(self.object.name, async {
            let before = match stored_chunks(self.connection, self.store, self.object.name).await {
                Err(ObjectError::Corrupt { .. }) => None,
                before => before?.and_then(|before| before.id()),
            };
            self.send_chunks().await?;
            self.describe(None).await.map_err(|unstored| self.unstored(unstored))?;
            Ok(before)
        });
        match stored.await {
            Ok(None) => Ok(()),
            Ok(Some(before)) => {
                let subject = Names::object_chunks(self.store, &before);
                let purged = purge(self.connection, self.store, &subject).await;
                purged.map_err(|error| ObjectError::read(self.object.name, error))
            }
            // A description that may stand after all keeps its chunks: the next one in its place removes them.
            Err(error) => {
                if let Ok(None) = stored_chunks(self.connection, self.store, self.object.name).await {
                    let subject = Names::object_chunks(self.store, &self.id);
                    self.undo(purge(self.connection, self.store, &subject)).await;
                }
                Err(error)
            }
        }
    }

    /// What cannot be removed now is found by whoever looks for descriptions that no record names, or expires.
    async fn undo<T, E: std::fmt::Display>(&self, removing: impl Future<Output = Result<T, E>>) {
        match timeout(ANSWER_TIMEOUT, removing).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(name = self.object.name, %error, "left a part of an object"),
            Err(_) => tracing::debug!(name = self.object.name, "left a part of an object"),
        }
    }

    async fn describe(&self, expected: Option<u64>) -> Result<(), Unstored> {
        let description = Description::of(self.store, self.object, &self.id, self.chunk_bytes);
        let mut message = PublishMessage::build()
            .payload(description.to_bytes().into())
            .header(header::ROLLUP, header::ROLLUP_SUBJECT);
        if let Some(expected) = expected {
            message = message.header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string().as_str());
        }
        if let Some(ttl) = self.ttl() {
            message = message.header(header::TTL, ttl.as_str());
        }
        publish(self.connection, &subject(self.store, self.object.name), message).await.map(drop)
    }
}
