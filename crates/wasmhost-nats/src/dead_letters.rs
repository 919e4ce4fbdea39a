//! Dead-letter copies: of jobs that ended in FAILURE, and of messages that can never become a job.

use bytes::Bytes;
use nats_wire::Headers;
use wasmhost_protocol::dead_letter::DeadLetterKind;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::text::{escape, truncate};

use crate::connect::Connection;
use crate::publication::{self, Publication};

/// The maximum size in bytes of a reason or a subject in a header of the copy.
const TEXT_BYTES: usize = 1 << 10;

/// What a dead-letter copy is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterSource<'a> {
    /// A job.
    Job(&'a JobKey),
    /// A message that names no job, with its sequence.
    Unreadable(u64),
}

/// A dead-letter copy of a message.
#[derive(Debug, Clone)]
pub struct DeadLetter<'a> {
    /// What the copy is of.
    pub source: DeadLetterSource<'a>,
    /// The kind of the failure.
    pub kind: DeadLetterKind,
    /// The reason as one sentence, for people.
    pub reason: &'a str,
    /// The subject to which the message was published.
    pub subject: &'a str,
    /// The headers of the message; none where they cannot be read. Only those of wasmhost are copied.
    pub headers: Option<&'a Headers>,
    /// The body of the message.
    pub body: Bytes,
}

/// The error of a dead-letter copy that was not stored.
#[derive(Debug, Clone, thiserror::Error)]
#[error("store the dead-letter copy `{subject}`: {text}")]
#[non_exhaustive]
pub struct DeadLetterError {
    /// The subject of the copy.
    pub subject: String,
    /// What went wrong.
    pub text: String,
}

/// Stores a dead-letter copy.
///
/// The body is copied as it is. Of the headers only those of wasmhost and the trace context are copied, and the copy's
/// own say where the message was published and why it failed.
pub async fn publish(connection: &Connection, letter: DeadLetter<'_>) -> Result<(), DeadLetterError> {
    let subject = match letter.source {
        DeadLetterSource::Job(key) => connection.names.dead_subject(key),
        DeadLetterSource::Unreadable(sequence) => connection.names.dead_unreadable(sequence),
    };
    let mut message = Publication::new(letter.body);
    for (name, value) in
        letter.headers.into_iter().flat_map(Headers::iter).filter(|(name, _)| is_copied(name))
    {
        message.add_header(name, &escape(value));
    }
    let message = message
        .header(header::DEAD_KIND, letter.kind.as_str())
        .header(header::DEAD_REASON, &escape(truncate(letter.reason, TEXT_BYTES)))
        .header(header::DEAD_SUBJECT, &escape(truncate(letter.subject, TEXT_BYTES)));
    let stored = publication::publish(connection, &subject, message).await;
    stored.map(drop).map_err(|failure| DeadLetterError { subject, text: failure.into_text() })
}

/// Whether a header of the message is copied. The server would obey a copied `Nats-*` header again: for one,
/// `Nats-Expected-Stream` would refuse the copy.
fn is_copied(name: &str) -> bool {
    // The copy has its own: of two with the same name readers would take the first, which a publisher may have forged.
    let is_of_copy = [header::DEAD_KIND, header::DEAD_REASON, header::DEAD_SUBJECT]
        .iter()
        .any(|own| name.eq_ignore_ascii_case(own));
    !is_of_copy && (header::is_of_wasmhost(name) || name.eq_ignore_ascii_case(header::TRACEPARENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_headers_are_copied() {
        assert!(is_copied("wasmhost-timeout") && is_copied("Traceparent"));
        assert!(!is_copied("Nats-Msg-Id"));
        assert!(!is_copied("wasmhost-dead-kind") && !is_copied(header::DEAD_SUBJECT));
    }
}
