//! What a message of the states bucket, or its republished copy, says of its key.

use nats_wire::Headers;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::record::{Marker, Record, RecordError, StoredEntry};

use crate::stored::StoredMessage;

/// Reads the stored entry from a message that is a value or a delete marker.
pub(crate) fn stored_entry_of(key: &JobKey, message: &StoredMessage) -> StoredEntry {
    let revision = message.sequence;
    match &message.headers {
        Ok(headers) => match marker(headers) {
            Some(expired) => StoredEntry::Deleted(Marker { revision, at: message.stored_at, expired }),
            None => value(key, revision, &message.payload),
        },
        // Without headers nobody knows whether it is a value or a marker, so that nothing may be written over it.
        Err(why) => StoredEntry::Unreadable { revision, why: format!("its headers cannot be read: {why}") },
    }
}

fn value(key: &JobKey, revision: u64, value: &[u8]) -> StoredEntry {
    match Record::from_bytes(value) {
        // Any user with the right to write records can write one under another job's key.
        Ok(record) if record.key() == *key => StoredEntry::Record { record: Box::new(record), revision },
        Ok(record) => {
            StoredEntry::Unreadable { revision, why: format!("it is the record of {}", record.key()) }
        }
        Err(RecordError::Newer(version)) => StoredEntry::Newer { revision, version },
        Err(error) => StoredEntry::Unreadable { revision, why: error.to_string() },
    }
}

/// Whether the marker that has these headers is of a record that expired; none where they are not a marker's.
fn marker(headers: &Headers) -> Option<bool> {
    // The server's own markers have a reason and no operation; those of clients have an operation and no reason.
    if let Some(reason) = headers.get(header::MARKER_REASON) {
        return Some(reason == header::MARKER_MAX_AGE);
    }
    let operation = headers.get(header::KV_OPERATION)?;
    [header::KV_DELETE, header::KV_PURGE].contains(&operation).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, expected: Option<bool>) {
        let headers = Headers::of([(name, value)]).unwrap();
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

    fn stored(headers: Result<Headers, nats_wire::BadHeaders>, payload: &'static [u8]) -> StoredMessage {
        let stored_at = wasmhost_protocol::timestamp::Timestamp::from_unix_ms(0);
        StoredMessage { subject: String::new(), sequence: 3, stored_at, headers, payload: payload.into() }
    }

    #[test]
    fn a_value_that_is_no_record_is_unreadable() {
        let key = JobKey::parse("a.b.c").unwrap();
        let of = |headers, payload| stored_entry_of(&key, &stored(headers, payload));
        let none = || Ok(Headers::default());
        assert!(matches!(of(none(), b"{}"), StoredEntry::Unreadable { revision: 3, .. }));
        assert_eq!(of(none(), br#"{"v":9}"#), StoredEntry::Newer { revision: 3, version: 9 });
        let bad = Headers::parse(b"NATS/1.0\r\nX: a\rb\r\n\r\n");
        assert!(matches!(of(bad, br#"{"v":9}"#), StoredEntry::Unreadable { revision: 3, .. }));
    }
}
