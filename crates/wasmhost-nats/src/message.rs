//! One message of a stream: read from and deleted by the stream's leader.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use wasmhost_protocol::names::Names;

use crate::api;
use crate::codes::{NO_MESSAGE, NOT_DELETED};
use crate::connect::Connection;
use crate::read_error::ReadError;
use crate::stored::{RawMessage, StoredMessage};

/// Which message of a stream is read.
#[derive(Debug, Clone)]
pub(crate) enum MessageSelector<'a> {
    /// The newest one on a subject, which may have wildcards.
    LastOn(&'a str),
    /// The one with this sequence.
    Sequence(u64),
    /// The first one from this sequence on whose subject matches.
    From(u64, &'a str),
}

#[derive(Deserialize)]
struct MessageResponse {
    message: RawMessage,
}

/// Reads a message from the stream's leader; none where there is no such message.
///
/// A direct get would be cheaper, but a replica that lags may answer it
/// ([fact 24](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#f24)).
pub(crate) async fn read(
    connection: &Connection,
    stream: &str,
    selector: MessageSelector<'_>,
) -> Result<Option<StoredMessage>, ReadError> {
    let (subject, body) = match selector {
        MessageSelector::LastOn(subject) => (subject.to_owned(), json!({ "last_by_subj": subject })),
        MessageSelector::Sequence(sequence) => (format!("{stream} {sequence}"), json!({ "seq": sequence })),
        MessageSelector::From(sequence, filter) => {
            (filter.to_owned(), json!({ "seq": sequence.max(1), "next_by_subj": filter }))
        }
    };
    match api::request::<MessageResponse>(connection, Names::stream_message(stream), &body).await {
        Ok(response) => {
            let message = StoredMessage::of_raw(&response.message);
            message.map(Some).map_err(|text| ReadError::Unreachable { subject, text })
        }
        Err(error) if error.code() == Some(NO_MESSAGE) => Ok(None),
        Err(error) => Err(ReadError::new(subject, &error)),
    }
}

/// Deletes the message with this sequence, if it is still stored.
pub(crate) async fn remove(connection: &Connection, stream: &str, sequence: u64) -> Result<(), ReadError> {
    let subject = format!("{stream} {sequence}");
    // Without `no_erase` the server would also overwrite the message's bytes on its disk, which costs time and is of no
    // use.
    let body = json!({ "seq": sequence, "no_erase": true });
    match api::request::<IgnoredAny>(connection, Names::stream_delete_message(stream), body).await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(NOT_DELETED) => Ok(()),
        Err(error) => Err(ReadError::new(subject, &error)),
    }
}

/// Reads the message of `stream` with this sequence from the stream's leader, whoever wrote it.
pub async fn read_message(
    connection: &Connection,
    stream: &str,
    sequence: u64,
) -> Result<Option<StoredMessage>, ReadError> {
    read(connection, stream, MessageSelector::Sequence(sequence)).await
}

/// Reads the first message of `stream` from this sequence on whose subject matches `filter`, from the stream's leader.
pub async fn read_next_message(
    connection: &Connection,
    stream: &str,
    sequence: u64,
    filter: &str,
) -> Result<Option<StoredMessage>, ReadError> {
    read(connection, stream, MessageSelector::From(sequence, filter)).await
}
