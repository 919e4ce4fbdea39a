//! The states bucket: read from its leader, written only by compare-and-set.

use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use tokio::time::Instant;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::record::{Record, StoredEntry};
use wasmhost_protocol::timestamp::Timestamp;

use super::stored_entry::stored_entry_of;
use super::write_error::WriteError;
use crate::backoff::Backoff;
use crate::connect::Connection;
use crate::message::{MessageSelector, ReadError, publish, read};
use crate::streams::state_of;
use crate::{fault, limited};

/// A server that says for longer that it has no JetStream or no such stream is believed.
pub const SET_UP_WITHIN: Duration = Duration::from_secs(2);

/// The states bucket.
#[derive(Debug, Clone)]
pub struct Records {
    pub(super) connection: Connection,
}

impl Records {
    /// The states bucket on this connection.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone() }
    }

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

    /// The newest revision in the bucket, of whichever key.
    pub async fn last_revision(&self) -> Result<u64, ReadError> {
        Ok(state_of(&self.connection, &self.connection.names.states_stream()).await?.last)
    }

    /// When the bucket was made: one that was made anew has lost what it held before.
    pub async fn created(&self) -> Result<Timestamp, ReadError> {
        Ok(state_of(&self.connection, &self.connection.names.states_stream()).await?.created)
    }

    /// One try to write the record over revision `expected`; the new revision. `ttl`, at least a second, is for
    /// terminal records only.
    pub async fn compare_and_set(
        &self,
        key: &JobKey,
        record: &Record,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<u64, WriteError> {
        debug_assert_eq!(*key, record.key(), "a record is written under its own key");
        debug_assert!(ttl.is_none() || record.is_terminal(), "only terminal records expire");
        let mut message = PublishMessage::build().payload(record.to_bytes().into());
        if !fault::is_naive_writer() {
            message = message.header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string().as_str());
        }
        if let Some(ttl) = ttl {
            message = message.header(header::TTL, ttl_seconds(ttl).to_string().as_str());
        }
        let subject = self.connection.names.state_subject(key);
        let stored = publish(&self.connection, &subject, message).await;
        stored.map(|ack| ack.sequence).map_err(|unstored| WriteError::new(key, unstored))
    }
}

/// Whole seconds, rounded up, at least one: the server takes nothing shorter.
pub(crate) fn ttl_seconds(ttl: Duration) -> u64 {
    (ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_never_shorter_than_asked_or_a_second() {
        for (ms, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (86_400_000, 86_400)] {
            assert_eq!(ttl_seconds(Duration::from_millis(ms)), seconds, "{ms} ms");
        }
    }
}
