//! T10 and T11: a record is removed by a delete marker, itself a compare-and-set.

use async_nats::jetstream::message::PublishMessage;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::record::{Marker, StoredEntry};

use super::bucket::Records;
use super::compare_and_set::ttl_seconds;
use super::write_error::WriteError;
use crate::backoff::Backoff;
use crate::message::publish;
use crate::publish_failure::Unstored;

impl Records {
    /// Deletes the record at revision `expected`; false if something else stands. Errors are `Full`, `TooLarge`, `NotSetUp`
    /// and `Denied` only.
    pub async fn delete(&self, key: &JobKey, expected: u64) -> Result<bool, WriteError> {
        let mut backoff = Backoff::new();
        loop {
            match self.mark_deleted(key, expected).await {
                Ok(()) => return Ok(true),
                Err(Unstored::Conflict | Unstored::Unknown(_) | Unstored::Unheard(_)) => {}
                Err(unstored) => return Err(WriteError::new(key, unstored)),
            }
            match self.read_unless_missing(key).await? {
                StoredEntry::Absent | StoredEntry::Deleted(_) => return Ok(true),
                stored if stored.expected() != expected => return Ok(false),
                StoredEntry::Record { .. } | StoredEntry::Unreadable { .. } | StoredEntry::Newer { .. } => {}
            }
            backoff.wait().await;
        }
    }

    async fn mark_deleted(&self, key: &JobKey, expected: u64) -> Result<(), Unstored> {
        let message = PublishMessage::build()
            .header(header::KV_OPERATION, header::KV_DELETE)
            .header(header::TTL, ttl_seconds(Marker::LIFE).to_string().as_str())
            .header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string().as_str());
        publish(&self.connection, &self.connection.names.state_subject(key), message).await.map(drop)
    }
}
