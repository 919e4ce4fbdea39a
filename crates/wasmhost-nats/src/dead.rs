//! Copies of jobs that ended in FAILURE, kept for people.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use nats_wire::Headers;
use wasmhost_protocol::{JobKey, header, truncate};

use crate::Connection;
use crate::message::{header_value, publish};

/// Bytes of the reason that fit a header.
const REASON_BYTES: usize = 1 << 10;

/// What died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dead<'a> {
    /// A job.
    Job(&'a JobKey),
    /// The message with this sequence, which could not be read as a job.
    Unreadable(u64),
}

/// The copy was not stored.
#[derive(Debug, Clone, thiserror::Error)]
#[error("keep a dead job as `{subject}`: {text}")]
pub struct DeadError {
    /// The copy's subject.
    pub subject: String,
    /// What went wrong.
    pub text: String,
}

/// Keeps the body as it was, our own headers of it, and why it died: a kind and a sentence.
pub async fn publish_dead(
    connection: &Connection,
    dead: Dead<'_>,
    headers: Option<&Headers>,
    body: Bytes,
    (kind, reason): (&str, &str),
) -> Result<(), DeadError> {
    let subject = match dead {
        Dead::Job(key) => connection.names.dead_subject(key),
        Dead::Unreadable(sequence) => connection.names.dead_unreadable(sequence),
    };
    let mut kept = own_headers(headers);
    kept.insert(header::DEAD_KIND, header_value(kind));
    kept.insert(header::DEAD_REASON, header_value(truncate(reason, REASON_BYTES)));
    let message = PublishMessage::build().headers(kept).payload(body);
    let kept = publish(connection, &subject, message).await;
    kept.map(drop).map_err(|unstored| DeadError { subject, text: unstored.into_text() })
}

/// A copied header of the server's own would be obeyed again.
fn own_headers(headers: Option<&Headers>) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, value) in headers.into_iter().flat_map(Headers::iter) {
        let ours =
            name.get(..header::PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(header::PREFIX));
        if ours || name.eq_ignore_ascii_case(header::TRACEPARENT) {
            kept.append(name, header_value(value));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_headers_are_copied() {
        let headers = Headers::of([("Nats-Msg-Id", "x"), ("wasmhost-timeout", "30s")]).unwrap();
        let kept = own_headers(Some(&headers));
        assert_eq!(kept.len(), 1);
        assert_eq!(kept.get("wasmhost-timeout").unwrap().as_str(), "30s");
        assert!(own_headers(None).is_empty());
    }
}
