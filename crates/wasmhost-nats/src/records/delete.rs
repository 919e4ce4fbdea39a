//! Deleting a record: by a delete marker, which is a compare-and-set itself
//! ([T10](https://github.com/wasmhost/wasmhost/blob/main/docs/states.md#t10) and
//! [T11](https://github.com/wasmhost/wasmhost/blob/main/docs/states.md#t11)).

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::record::{Marker, StoredEntry};

use super::bucket::Records;
use super::compare_and_set::ttl_seconds;
use super::write_error::WriteError;
use crate::backoff::Backoff;
use crate::publication::{Publication, publish};
use crate::publish_failure::PublishFailure;

impl Records {
    /// Deletes the record at the revision `expected`, and says whether the key has no record now: false means that
    /// another revision is the newest.
    ///
    /// # Errors
    ///
    /// Only `Full`, `TooLarge`, `NotSetUp` and `Denied`.
    pub async fn delete(&self, key: &JobKey, expected: u64) -> Result<bool, WriteError> {
        let mut backoff = Backoff::new();
        loop {
            match self.mark_deleted(key, expected).await {
                Ok(()) => return Ok(true),
                // A conflict may be with this very marker, if an earlier try had no answer.
                Err(PublishFailure::Conflict | PublishFailure::Unknown(_) | PublishFailure::NoStream(_)) => {}
                Err(failure) => return Err(WriteError::new(key, failure)),
            }
            match self.read_unless_missing(key).await? {
                StoredEntry::Absent | StoredEntry::Deleted(_) => return Ok(true),
                stored if stored.expected() != expected => return Ok(false),
                StoredEntry::Record { .. } | StoredEntry::Unreadable { .. } | StoredEntry::Newer { .. } => {}
            }
            backoff.wait().await;
        }
    }

    async fn mark_deleted(&self, key: &JobKey, expected: u64) -> Result<(), PublishFailure> {
        let message = Publication::default()
            .header(header::KV_OPERATION, header::KV_DELETE)
            .header(header::TTL, &ttl_seconds(Marker::LIFE).to_string())
            .header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, &expected.to_string());
        publish(&self.connection, &self.connection.names.state_subject(key), message).await.map(drop)
    }
}
