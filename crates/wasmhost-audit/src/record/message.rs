//! Turns messages into entries of a capture.

use nats_wire::{Headers, Message};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde_json::Value;
use wasmhost_nats::now;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::{Names, header};
use wasmhost_protocol::timestamp::Timestamp;

use crate::capture::{Effect, Entry, Marker, Revision};

/// Reads a message; none where it does not concern the audit.
pub(super) type Read = fn(&Names, &Message) -> Option<Entry>;

/// The subjects that a recorder subscribes to, each with how its messages are read.
pub(super) fn subjects(names: &Names) -> [(String, Read); 2] {
    [(names.events_filter(), event), (names.logs_filter(), effect)]
}

/// A republished revision; none for a message that somebody else published there.
fn event(names: &Names, message: &Message) -> Option<Entry> {
    // The server's own headers come after those of the writer, which may have the same names.
    let server_headers = Headers::ending(message.block.as_deref()?);
    let time = server_headers.last(header::TIME_STAMP).and_then(|text| Timestamp::parse(text).ok());
    let stored = Stored {
        key: names.parse_event_subject(&message.subject).ok()?,
        revision: number(&server_headers, header::SEQUENCE)?,
        previous: Some(number(&server_headers, header::LAST_SEQUENCE)?),
        stored_at: time.unwrap_or_else(now),
    };
    Some(Entry::Revision(stored.revision(message.headers().ok().as_ref(), &message.payload)))
}

fn number(headers: &Headers, name: &str) -> Option<u64> {
    headers.last(name)?.parse().ok()
}

/// What is known of a revision apart from its value.
pub(super) struct Stored {
    pub(super) key: JobKey,
    pub(super) revision: u64,
    pub(super) previous: Option<u64>,
    pub(super) stored_at: Timestamp,
}

impl Stored {
    /// The revision with the value or delete marker that these headers and this payload are. Headers that cannot be read
    /// mark nothing.
    pub(super) fn revision(self, headers: Option<&Headers>, payload: &[u8]) -> Revision {
        let Self { key, revision, previous, stored_at } = self;
        let get = |name| headers.and_then(|headers| headers.get(name));
        // The operation is no sign of a marker by itself: a value may have the header too, as `PUT`.
        let is_marker = get(header::MARKER_REASON).is_some();
        let marker =
            [header::MARKER_REASON, header::KV_OPERATION].into_iter().find_map(|name| marker(get(name)?));
        let record = match (marker, is_marker) {
            // A marker with an unknown reason becomes a revision without anything, which the audit reports as a gap.
            (Some(_), _) | (None, true) => Value::Null,
            (None, false) => value(payload),
        };
        Revision { key, revision, previous, stored_at, record, marker }
    }
}

fn marker(word: &str) -> Option<Marker> {
    let word: StrDeserializer<'_, ValueError> = word.into_deserializer();
    Marker::deserialize(word).ok()
}

/// The payload as JSON. A payload that is not JSON becomes a string.
fn value(payload: &[u8]) -> Value {
    serde_json::from_slice(payload)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(payload).into_owned()))
}

/// The fields of a log line that the audit reads.
#[derive(Deserialize)]
struct Line {
    at: Timestamp,
    attempt: u64,
    fields: Option<Value>,
}

/// The effect that a guest's log line names; none for a line without the field `effect`.
fn effect(names: &Names, message: &Message) -> Option<Entry> {
    let key = names.parse_logs_subject(&message.subject).ok()?;
    let line: Line = serde_json::from_slice(&message.payload).ok()?;
    let effect = match line.fields?.get_mut("effect")?.take() {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Some(Entry::Effect(Effect { key, attempt: line.attempt, at: line.at, effect }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(name: &str, word: &str, payload: &str) -> Revision {
        let headers = Headers::of([(name, word)]).unwrap();
        let key = JobKey::parse("a.b.1").unwrap();
        let stored_at = Timestamp::from_unix_ms(0);
        Stored { key, revision: 1, previous: None, stored_at }.revision(Some(&headers), payload.as_bytes())
    }

    #[test]
    fn markers_are_distinguished_from_values() {
        for (name, word, marker) in [
            (header::MARKER_REASON, "MaxAge", Marker::MaxAge),
            (header::MARKER_REASON, "Remove", Marker::Remove),
            (header::MARKER_REASON, "Purge", Marker::Purge),
            (header::KV_OPERATION, "DEL", Marker::Delete),
            (header::KV_OPERATION, "PURGE", Marker::Purge),
        ] {
            let revision = stored(name, word, "");
            assert_eq!((revision.marker, revision.record), (Some(marker), Value::Null), "{word}");
        }
        assert_eq!(stored(header::KV_OPERATION, "PUT", "{}").record, json!({}));
        assert_eq!(stored(header::TTL, "60", "no JSON").record, json!("no JSON"));
        let unknown = stored(header::MARKER_REASON, "Whim", "");
        assert_eq!((unknown.marker, unknown.record), (None, Value::Null));
    }
}
