//! Copies of jobs that ended in FAILURE, kept for people.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use nats_wire::Headers;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::text::truncate;

use crate::connect::Connection;
use crate::message::{header_value, publish};

/// Bytes of a reason or a subject that fit a header.
const TEXT_BYTES: usize = 1 << 10;

/// What died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dead<'a> {
    /// A job.
    Job(&'a JobKey),
    /// The message with this sequence, which could not be read as a job.
    Unreadable(u64),
}

/// What is kept of it.
#[derive(Debug, Clone)]
pub struct Kept<'a> {
    /// What died.
    pub dead: Dead<'a>,
    /// Where it was published.
    pub subject: &'a str,
    /// Its headers, of which ours are kept.
    pub headers: Option<&'a Headers>,
    /// Its body.
    pub body: Bytes,
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

/// Keeps the body as it was, our own headers of it, where it was published, and why it died: a kind and a sentence.
pub async fn publish_dead(
    connection: &Connection,
    kept: Kept<'_>,
    (kind, reason): (&str, &str),
) -> Result<(), DeadError> {
    let subject = match kept.dead {
        Dead::Job(key) => connection.names.dead_subject(key),
        Dead::Unreadable(sequence) => connection.names.dead_unreadable(sequence),
    };
    let mut headers = own_headers(kept.headers);
    headers.insert(header::DEAD_KIND, header_value(kind));
    headers.insert(header::DEAD_REASON, header_value(truncate(reason, TEXT_BYTES)));
    headers.insert(header::DEAD_SUBJECT, header_value(truncate(kept.subject, TEXT_BYTES)));
    let message = PublishMessage::build().headers(headers).payload(kept.body);
    let stored = publish(connection, &subject, message).await;
    stored.map(drop).map_err(|unstored| DeadError { subject, text: unstored.into_text() })
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
