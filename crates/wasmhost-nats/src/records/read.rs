//! Reading what the bucket holds under a key, once or until there is an answer.

use std::time::Duration;

use tokio::time::Instant;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::StoredEntry;

use super::bucket::Records;
use super::stored_entry::stored_entry_of;
use super::write_error::WriteError;
use crate::backoff::Backoff;
use crate::limited;
use crate::message::{MessageSelector, read};
use crate::read_error::ReadError;

/// A server that says for longer than this that it has no JetStream, or no such stream, is believed.
pub const SET_UP_WITHIN: Duration = Duration::from_secs(2);

impl Records {
    /// Reads the stored entry of the key, from the bucket's leader.
    pub async fn read(&self, key: &JobKey) -> Result<StoredEntry, ReadError> {
        let names = &self.connection.names;
        let subject = names.state_subject(key);
        let message =
            read(&self.connection, &names.states_stream(), MessageSelector::LastOn(&subject)).await?;
        Ok(message.map_or(StoredEntry::Absent, |message| stored_entry_of(key, &message)))
    }

    /// Reads the stored entry of the key, and tries until there is an answer.
    pub async fn read_until_known(&self, key: &JobKey) -> StoredEntry {
        let mut backoff = Backoff::new();
        loop {
            match self.read(key).await {
                Ok(stored) => return stored,
                Err(error) => limited!(warn, job.key = %key, %error, "cannot read a record; trying again"),
            }
            backoff.wait().await;
        }
    }

    /// Reads the stored entry of the key, and tries until there is an answer or an error that no further try would
    /// change.
    ///
    /// # Errors
    ///
    /// `Denied`, or `NotSetUp` once the server has said so for `missing_for`.
    pub async fn read_or_refused(
        &self,
        key: &JobKey,
        missing_for: Duration,
    ) -> Result<StoredEntry, ReadError> {
        let mut backoff = Backoff::new();
        let started = Instant::now();
        loop {
            match self.read(key).await {
                Ok(stored) => return Ok(stored),
                Err(error @ ReadError::Denied { .. }) => return Err(error),
                Err(error @ ReadError::NotSetUp { .. }) if started.elapsed() >= missing_for => {
                    return Err(error);
                }
                Err(error) => limited!(warn, job.key = %key, %error, "cannot read a record; trying again"),
            }
            backoff.wait().await;
        }
    }

    /// Reads the stored entry of the key for a writer, which gives up only where there is no bucket.
    pub(super) async fn read_unless_missing(&self, key: &JobKey) -> Result<StoredEntry, WriteError> {
        let mut backoff = Backoff::new();
        let started = Instant::now();
        loop {
            match self.read(key).await {
                Ok(stored) => return Ok(stored),
                // A server that starts or ends says for a moment, too, that it has no bucket.
                Err(ReadError::NotSetUp { text, .. }) if started.elapsed() >= SET_UP_WITHIN => {
                    return Err(WriteError::NotSetUp { key: key.clone(), text });
                }
                Err(ReadError::NotSetUp { .. }) => {}
                // Not even a denial ends the tries: only the record tells what became of the write.
                Err(error) => {
                    tracing::warn!(job.key = %key, %error, "cannot read a record; trying again");
                }
            }
            backoff.wait().await;
        }
    }
}
