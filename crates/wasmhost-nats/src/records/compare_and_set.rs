//! One try to write a record. There is no write of a record that is not a compare-and-set.

use std::time::Duration;

use bytes::Bytes;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::record::Record;

use super::bucket::Records;
use super::write_error::WriteError;
use crate::fault;
use crate::publication::{Publication, publish};

impl Records {
    /// Tries once to write the record over the revision `expected`, and returns the new revision.
    ///
    /// `ttl` is for terminal records only: after this time, at least a second, the server deletes the record.
    pub async fn compare_and_set(
        &self,
        key: &JobKey,
        record: &Record,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<u64, WriteError> {
        debug_assert_eq!(*key, record.key(), "a record is written under its own key");
        debug_assert!(ttl.is_none() || record.is_terminal(), "only terminal records expire");
        self.set(key, record.to_bytes().into(), expected, ttl).await
    }

    /// Tries once to write a record that is JSON text already.
    pub(super) async fn set(
        &self,
        key: &JobKey,
        record: Bytes,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<u64, WriteError> {
        // Published to the bucket's subject: async-nats' own bucket has no put with a time to live. There is no
        // `Nats-Msg-Id` either, with which a second try would be answered differently by one replica and by three.
        let mut message = Publication::new(record);
        if !fault::is_naive_writer() {
            message = message.header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, &expected.to_string());
        }
        if let Some(ttl) = ttl {
            message = message.header(header::TTL, &ttl_seconds(ttl).to_string());
        }
        let subject = self.connection.names.state_subject(key);
        let stored = publish(&self.connection, &subject, message).await;
        stored.map(|ack| ack.sequence).map_err(|failure| WriteError::new(key, failure))
    }
}

/// Whole seconds, rounded up, and at least one: the server takes no shorter time to live.
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
