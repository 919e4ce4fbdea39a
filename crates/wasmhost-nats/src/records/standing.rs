//! What a message of the states bucket, or its republished copy, says about its key.

use async_nats::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use wasmhost_protocol::{JobKey, Marker, Record, RecordError, Standing, Timestamp, header};

use crate::clock::timestamp;

pub(crate) fn of_message(key: &JobKey, message: &StreamMessage) -> Standing {
    standing_of(key, message.sequence, timestamp(message.time), Some(&message.headers), &message.payload)
}

/// Reads a value or a delete marker, stored `at` as `revision`.
pub(crate) fn standing_of(
    key: &JobKey,
    revision: u64,
    at: Timestamp,
    headers: Option<&HeaderMap>,
    value: &[u8],
) -> Standing {
    if let Some(expired) = headers.and_then(marker) {
        return Standing::Deleted(Marker { revision, at, expired });
    }
    match Record::from_bytes(value) {
        Ok(record) if record.key() == *key => Standing::Record { record: Box::new(record), revision },
        Ok(record) => Standing::Unreadable { revision, why: format!("it is the record of {}", record.key()) },
        Err(RecordError::Newer(version)) => Standing::Newer { revision, version },
        Err(error) => Standing::Unreadable { revision, why: error.to_string() },
    }
}

/// Whether these are a delete marker's headers, and if so, whether it stands for an expired record.
fn marker(headers: &HeaderMap) -> Option<bool> {
    if let Some(reason) = headers.get(header::MARKER_REASON) {
        return Some(reason.as_str() == header::MARKER_MAX_AGE);
    }
    let operation = headers.get(header::KV_OPERATION)?.as_str();
    [header::KV_DELETE, header::KV_PURGE].contains(&operation).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, expected: Option<bool>) {
        let mut headers = HeaderMap::new();
        headers.insert(name, value);
        assert_eq!(marker(&headers), expected, "{name}: {value}");
    }

    #[test]
    fn markers_are_told_from_values() {
        check(header::MARKER_REASON, "MaxAge", Some(true));
        check(header::MARKER_REASON, "Remove", Some(false));
        check(header::KV_OPERATION, "DEL", Some(false));
        check(header::KV_OPERATION, "PURGE", Some(false));
        check(header::KV_OPERATION, "PUT", None);
        check(header::TTL, "60", None);
    }

    #[test]
    fn a_value_that_is_no_record_is_unreadable() {
        let key = JobKey::parse("a.b.c").unwrap();
        let at = Timestamp::from_unix_ms(0);
        assert!(matches!(standing_of(&key, 3, at, None, b"{}"), Standing::Unreadable { revision: 3, .. }));
        assert_eq!(
            standing_of(&key, 3, at, None, br#"{"v":9}"#),
            Standing::Newer { revision: 3, version: 9 }
        );
    }
}
