//! Reading what stands under a key.

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

/// A server that says for longer that it has no JetStream or no such stream is believed.
pub const SET_UP_WITHIN: Duration = Duration::from_secs(2);

impl Records {
    /// What stands under the key, from the bucket's leader.
    pub async fn read(&self, key: &JobKey) -> Result<StoredEntry, ReadError> {
        let names = &self.connection.names;
        let subject = names.state_subject(key);
        let message =
            read(&self.connection, &names.states_stream(), MessageSelector::LastOn(&subject)).await?;
        Ok(message.map_or(StoredEntry::Absent, |message| stored_entry_of(key, &message)))
    }

    /// The same, tried until there is an answer.
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

    /// The same, but an answer that no further try would change is told: a missing right, and that there is no bucket, once the
    /// server has said so for `missing_for`.
    pub async fn read_or_refused(
        &self,
        key: &JobKey,
        missing_for: Duration,
    ) -> Result<StoredEntry, ReadError> {
        let (mut backoff, started) = (Backoff::new(), Instant::now());
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

    /// The same for who may give up where there is no bucket. A server that starts or ends says so for a moment too.
    pub(super) async fn read_unless_missing(&self, key: &JobKey) -> Result<StoredEntry, WriteError> {
        let (mut backoff, started) = (Backoff::new(), Instant::now());
        loop {
            match self.read(key).await {
                Ok(stored) => return Ok(stored),
                Err(ReadError::NotSetUp { text, .. }) if started.elapsed() >= SET_UP_WITHIN => {
                    return Err(WriteError::NotSetUp { key: key.clone(), text });
                }
                Err(ReadError::NotSetUp { .. }) => {}
                Err(error) => {
                    tracing::warn!(job.key = %key, %error, "cannot read a record; trying again");
                }
            }
            backoff.wait().await;
        }
    }
}
