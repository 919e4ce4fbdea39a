//! One message of a stream, sent with its acknowledgement or read from the stream's leader.

use std::error::Error as _;

use async_nats::jetstream::context::{RequestError, RequestErrorKind};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::stream::{
    DeleteMessageErrorKind, LastRawMessageErrorKind, RawMessageError, RawMessageErrorKind,
};
use async_nats::{HeaderMap, HeaderValue};

use crate::Connection;
use crate::codes::{NO_MESSAGE, NO_STREAM, NOT_DELETED, OFF, Unstored};

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
    // The server quotes the subject, so that another one which this begins is not meant.
    match connection.denials.or_denied(&format!("\"{subject}\""), answer).await {
        Ok(answer) => Ok(answer?),
        Err(denial) => Err(Unstored::Refused(denial)),
    }
}

/// Where a message is looked for.
#[derive(Debug, Clone)]
pub(crate) enum Place<'a> {
    /// The newest on a subject; wildcards are fine.
    LastOn(&'a str),
    /// The first on a subject from this sequence on; wildcards are fine.
    NextOn(&'a str, u64),
    /// The one with this sequence.
    Sequence(u64),
}

/// Reads a message from the stream's leader; none if there is none.
pub(crate) async fn read(
    connection: &Connection,
    stream: &str,
    place: Place<'_>,
) -> Result<Option<StreamMessage>, ReadError> {
    let subject = match place {
        Place::LastOn(subject) | Place::NextOn(subject, _) => subject.to_owned(),
        Place::Sequence(sequence) => format!("{stream} {sequence}"),
    };
    let answer = async {
        let opened = connection.jetstream.get_stream_no_info(stream).await;
        let stream = opened.map_err(|error| (false, error.to_string()))?;
        let request = stream.raw_message_builder();
        let request = match place {
            Place::LastOn(subject) => request.last_by_subject(subject),
            Place::NextOn(subject, from) => request.sequence(from).next_by_subject(subject),
            Place::Sequence(sequence) => request.sequence(sequence),
        };
        match request.send().await {
            Ok(message) => Ok(Some(message)),
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(None),
                RawMessageErrorKind::JetStream(error) if error.error_code().0 == NO_MESSAGE => Ok(None),
                _ => Err((is_not_set_up(&error), error.to_string())),
            },
        }
    };
    match connection.denials.or_denied(stream, answer).await {
        Ok(Ok(message)) => Ok(message),
        Ok(Err((true, text))) => Err(ReadError::NotSetUp { subject, text }),
        Ok(Err((false, text))) => Err(ReadError::Unreachable { subject, text }),
        Err(text) => Err(ReadError::Denied { subject, text }),
    }
}

/// Deletes the message with this sequence, if it still stands.
pub(crate) async fn remove(connection: &Connection, stream: &str, sequence: u64) -> Result<(), ReadError> {
    let subject = format!("{stream} {sequence}");
    let answer = async {
        let opened = connection.jetstream.get_stream_no_info(stream).await.map_err(|e| e.to_string())?;
        match opened.delete_message(sequence).await {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                DeleteMessageErrorKind::JetStream(server) if server.error_code().0 == NOT_DELETED => Ok(()),
                _ => Err(error.to_string()),
            },
        }
    };
    match connection.denials.or_denied(stream, answer).await {
        Ok(removed) => removed.map_err(|text| ReadError::Unreachable { subject, text }),
        Err(text) => Err(ReadError::Denied { subject, text }),
    }
}

/// Whether nobody answers for JetStream, or it says that it is off or has no such stream.
fn is_not_set_up(error: &RawMessageError) -> bool {
    if let RawMessageErrorKind::JetStream(error) = error.kind() {
        let code = error.error_code().0;
        return code == NO_STREAM || OFF.contains(&code);
    }
    let cause = error.source().and_then(|cause| cause.downcast_ref::<RequestError>());
    cause.is_some_and(|cause| cause.kind() == RequestErrorKind::NoResponders)
}

/// A header's value that came from elsewhere; what cannot stand in a header is escaped.
pub(crate) fn header_value(text: &str) -> HeaderValue {
    wasmhost_protocol::escape(text).parse().expect("escaped text has no line breaks")
}

/// All headers, repeated ones too, as texts.
pub fn header_pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> + Clone {
    headers.iter().flat_map(|(name, values)| values.iter().map(move |value| (name.as_ref(), value.as_str())))
}
