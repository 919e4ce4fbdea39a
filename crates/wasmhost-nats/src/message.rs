//! One message of a stream, sent with its acknowledgement or read from the stream's leader.

use async_nats::HeaderValue;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use wasmhost_protocol::names::Names;

use crate::api;
use crate::codes::{NO_MESSAGE, NOT_DELETED};
use crate::connect::Connection;
use crate::publish_failure::Unstored;
use crate::read_error::ReadError;
use crate::stored::RawMessage;
use crate::stored::StoredMessage;

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
