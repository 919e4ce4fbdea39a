//! One message of a stream, sent with its acknowledgement or read from the stream's leader.

use async_nats::HeaderValue;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use wasmhost_protocol::names::Names;

use crate::api::{self, ApiError};
use crate::codes::{NO_MESSAGE, NO_STREAM, NOT_DELETED, OFF, Unstored};
use crate::connect::Connection;
use crate::stored::RawMessage;
use crate::stored::StoredMessage;

/// Why something that stands on the server could not be read. Whether it is there is not known.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A permission is missing.
    #[error("read `{subject}`: {text}")]
    Denied {
        /// What was read.
        subject: String,
        /// The server's words.
        text: String,
    },
    /// JetStream is off, or the stream was never made.
    #[error(
        "read `{subject}`: {text}; check that JetStream is on: streams and buckets are made by the first `wasmhost serve`"
    )]
    NotSetUp {
        /// What was read.
        subject: String,
        /// What the server said.
        text: String,
    },
    /// No answer, or one that says nothing about it.
    #[error("read `{subject}`: {text}")]
    Unreachable {
        /// What was read.
        subject: String,
        /// What went wrong.
        text: String,
    },
}

/// Publishes and waits for the acknowledgement.
pub(crate) async fn publish(
    connection: &Connection,
    subject: &str,
    message: PublishMessage,
) -> Result<PublishAck, Unstored> {
    let answer = async {
        let sent = connection.jetstream.send_publish(subject.to_owned(), message).await?;
        sent.await
    };
    match connection.denials.or_denied(subject, answer).await {
        Ok(answer) => Ok(answer?),
        Err(denial) => Err(Unstored::Refused(denial)),
    }
}

/// Where a message is looked for.
#[derive(Debug, Clone)]
pub(crate) enum MessageSelector<'a> {
    /// The newest on a subject; wildcards are fine.
    LastOn(&'a str),
    /// The one with this sequence.
    Sequence(u64),
    /// The first from this sequence on whose subject matches.
    From(u64, &'a str),
}

/// Reads a message from the stream's leader; none if there is none.
pub(crate) async fn read(
    connection: &Connection,
    stream: &str,
    place: MessageSelector<'_>,
) -> Result<Option<StoredMessage>, ReadError> {
    let (subject, request) = match place {
        MessageSelector::LastOn(subject) => (subject.to_owned(), json!({ "last_by_subj": subject })),
        MessageSelector::Sequence(sequence) => (format!("{stream} {sequence}"), json!({ "seq": sequence })),
        MessageSelector::From(sequence, filter) => {
            (filter.to_owned(), json!({ "seq": sequence.max(1), "next_by_subj": filter }))
        }
    };
    let asked = api::ask::<Got>(connection, Names::stream_message(stream), &request);
    match connection.denials.or_denied(&Names::stream_message(stream), asked).await {
        Ok(Ok(got)) => {
            let message = StoredMessage::of_raw(&got.message);
            message.map(Some).map_err(|text| ReadError::Unreachable { subject, text })
        }
        Ok(Err(error)) if error.code() == Some(NO_MESSAGE) => Ok(None),
        Ok(Err(error)) => Err(ReadError::new(subject, &error)),
        Err(text) => Err(ReadError::Denied { subject, text }),
    }
}

#[derive(Deserialize)]
struct Got {
    message: RawMessage,
}

impl ReadError {
    /// Why an answer that was asked for says nothing about what stands.
    pub(crate) fn new(subject: String, error: &ApiError) -> Self {
        let text = error.to_string();
        let is_not_set_up = match error {
            ApiError::NoResponders => true,
            ApiError::Server { err_code, .. } => *err_code == NO_STREAM || OFF.contains(err_code),
            ApiError::Unanswered(_) => false,
        };
        if is_not_set_up { Self::NotSetUp { subject, text } } else { Self::Unreachable { subject, text } }
    }
}

/// Deletes the message with this sequence, if it still stands.
pub(crate) async fn remove(connection: &Connection, stream: &str, sequence: u64) -> Result<(), ReadError> {
    let subject = format!("{stream} {sequence}");
    let request = json!({ "seq": sequence, "no_erase": true });
    let asked = api::ask::<IgnoredAny>(connection, Names::stream_delete_message(stream), request);
    match connection.denials.or_denied(&Names::stream_delete_message(stream), asked).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if error.code() == Some(NOT_DELETED) => Ok(()),
        Ok(Err(error)) => Err(ReadError::new(subject, &error)),
        Err(text) => Err(ReadError::Denied { subject, text }),
    }
}

/// The message of `stream` with this number, whoever wrote it; from the stream's leader.
pub async fn stored_at(
    connection: &Connection,
    stream: &str,
    sequence: u64,
) -> Result<Option<StoredMessage>, ReadError> {
    read(connection, stream, MessageSelector::Sequence(sequence)).await
}

/// The first message of `stream` from this number on whose subject matches `filter`; from the stream's leader.
pub async fn stored_from(
    connection: &Connection,
    stream: &str,
    sequence: u64,
    filter: &str,
) -> Result<Option<StoredMessage>, ReadError> {
    read(connection, stream, MessageSelector::From(sequence, filter)).await
}

/// A header's value that came from elsewhere; what cannot stand in a header is escaped.
pub(crate) fn header_value(text: &str) -> HeaderValue {
    wasmhost_protocol::text::escape(text).parse().expect("escaped text has no line breaks")
}
