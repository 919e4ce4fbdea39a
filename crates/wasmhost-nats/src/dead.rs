//! Dead-letter copies: of jobs that ended in FAILURE, and of messages that can never become a job.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use nats_wire::Headers;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::text::truncate;

use crate::connect::Connection;
use crate::message::{header_value, publish};

/// The most bytes of a reason or a subject in a header of the copy.
const TEXT_BYTES: usize = 1 << 10;

/// What a dead-letter copy is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dead<'a> {
    /// A job.
    Job(&'a JobKey),
    /// A message that names no job, with its sequence.
    Unreadable(u64),
}

/// The message that is copied.
#[derive(Debug, Clone)]
pub struct Kept<'a> {
    /// What the copy is of.
    pub dead: Dead<'a>,
    /// The subject to which the message was published.
    pub subject: &'a str,
    /// The headers of the message; none where they cannot be read. Only those of wasmhost are copied.
    pub headers: Option<&'a Headers>,
    /// The body of the message.
    pub body: Bytes,
}

/// Why a dead-letter copy was not stored.
#[derive(Debug, Clone, thiserror::Error)]
#[error("keep a dead job as `{subject}`: {text}")]
#[non_exhaustive]
pub struct DeadError {
    /// The subject of the copy.
    pub subject: String,
    /// What went wrong.
    pub text: String,
}

/// Stores a dead-letter copy, with the kind of the failure and its reason in one sentence.
///
/// The body is copied as it is. Of the headers only those of wasmhost and the trace context are copied, and the copy's
/// own say where the message was published and why it failed.
pub async fn publish_dead(
    connection: &Connection,
    kept: Kept<'_>,
    (kind, reason): (&str, &str),
) -> Result<(), DeadError> {
    let subject = match kept.dead {
        Dead::Job(key) => connection.names.dead_subject(key),
        Dead::Unreadable(sequence) => connection.names.dead_unreadable(sequence),
    };
    let mut headers = copied_headers(kept.headers);
    headers.insert(header::DEAD_KIND, header_value(kind));
    headers.insert(header::DEAD_REASON, header_value(truncate(reason, TEXT_BYTES)));
    headers.insert(header::DEAD_SUBJECT, header_value(truncate(kept.subject, TEXT_BYTES)));
    let message = PublishMessage::build().headers(headers).payload(kept.body);
    let stored = publish(connection, &subject, message).await;
    stored.map(drop).map_err(|failure| DeadError { subject, text: failure.into_text() })
}

fn copied_headers(headers: Option<&Headers>) -> HeaderMap {
    let mut copied = HeaderMap::new();
    for (name, value) in headers.into_iter().flat_map(Headers::iter) {
        // The server would obey a copied `Nats-*` header again: for one, `Nats-Expected-Stream` would refuse the copy.
        let is_ours =
            name.get(..header::PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(header::PREFIX));
        if is_ours || name.eq_ignore_ascii_case(header::TRACEPARENT) {
            copied.append(name, header_value(value));
        }
    }
    copied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_headers_are_copied() {
        let headers = Headers::of([("Nats-Msg-Id", "x"), ("wasmhost-timeout", "30s")]).unwrap();
        let copied = copied_headers(Some(&headers));
        assert_eq!(copied.len(), 1);
        assert_eq!(copied.get("wasmhost-timeout").unwrap().as_str(), "30s");
        assert!(copied_headers(None).is_empty());
    }
}
