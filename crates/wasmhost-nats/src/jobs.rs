//! Messages of the job stream: published so that no second one for a key can stand, and looked up at the leader.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use bytes::Bytes;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::{JobKey, QueueName};
use wasmhost_protocol::names::Sourced;
use wasmhost_protocol::names::header;

use crate::codes::Unstored;
use crate::connect::Connection;
use crate::message::{MessageSelector, ReadError, publish, read, remove};
use crate::stored::StoredMessage;

/// A message that the job stream acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its sequence; of the earlier message, where it is a duplicate.
    pub sequence: u64,
    /// Whether the stream had taken a message with this id within the duplicate window, and dropped this one.
    pub duplicate: bool,
}

/// Why a job was not published, or may not have been.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A message for this key stands in this queue.
    #[error("publish job {0}: a message for it stands")]
    Stands(JobKey),
    /// The stream, the account or the server has no room.
    #[error("publish job {key}: the queue is full: {text}")]
    Full {
        /// The job.
        key: JobKey,
        /// The server's words.
        text: String,
    },
    /// No answer, or one that leaves it open.
    #[error("publish job {key}: {text}")]
    Unknown {
        /// The job.
        key: JobKey,
        /// What went wrong.
        text: String,
    },
    /// No stream listens: it was not stored.
    #[error("publish job {key}: {text}")]
    Unheard {
        /// The job.
        key: JobKey,
        /// What went wrong.
        text: String,
    },
    /// The message is larger than the stream or the server takes.
    #[error("publish job {0}: it is too large")]
    TooLarge(JobKey),
    /// The server refuses it and would again: a permission is missing, or the stream is not as wanted.
    #[error("publish job {key}: {text}")]
    Denied {
        /// The job.
        key: JobKey,
        /// The server's words.
        text: String,
    },
}

impl PublishError {
    pub(crate) fn new(key: &JobKey, unstored: Unstored) -> Self {
        let key = key.clone();
        match unstored {
            Unstored::Conflict => Self::Stands(key),
            Unstored::Full(text) => Self::Full { key, text },
            Unstored::Unknown(text) => Self::Unknown { key, text },
            Unstored::Unheard(text) => Self::Unheard { key, text },
            Unstored::TooLarge => Self::TooLarge(key),
            Unstored::Refused(text) => Self::Denied { key, text },
        }
    }
}

/// Publishes a job's message. The options of the submit service alone (queue, delay, at) are left out. The stream drops
/// a second message for the same revision of the record; one without a revision counts by its key alone.
pub async fn publish_job(
    connection: &Connection,
    queue: &QueueName,
    key: &JobKey,
    options: &JobOptions,
    body: Bytes,
) -> Result<Published, PublishError> {
    let message = PublishMessage::build()
        .headers(job_headers(options))
        .payload(body)
        .header(header::MSG_ID, message_id(key, options).as_str())
        .header(header::EXPECTED_STREAM, connection.names.jobs_stream().as_str())
        .header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
    let subject = connection.names.job_subject(queue, key);
    let stored = publish(connection, &subject, message).await;
    stored.map(|ack| Published::of(&ack)).map_err(|unstored| PublishError::new(key, unstored))
}

impl Published {
    pub(crate) fn of(ack: &PublishAck) -> Self {
        Self { sequence: ack.sequence, duplicate: ack.duplicate }
    }
}

/// What a stream knows a message by: a later run under the same key has another revision.
pub(crate) fn message_id(key: &JobKey, options: &JobOptions) -> String {
    match options.revision {
        Some(revision) => format!("{key}.{revision}"),
        None => key.to_string(),
    }
}

/// The headers of a job's message.
pub(crate) fn job_headers(options: &JobOptions) -> HeaderMap {
    let options = JobOptions { queue: None, delay: None, at: None, ..options.clone() };
    let mut headers = HeaderMap::new();
    for (name, value) in options.to_pairs() {
        headers.insert(name, crate::message::header_value(&value));
    }
    headers
}

/// The job's message in whichever queue, as the leader has it; none once it is settled. Not for derived ids, whose
/// subject has none: ask for their sequence.
pub async fn message_of(connection: &Connection, key: &JobKey) -> Result<Option<StoredMessage>, ReadError> {
    let names = &connection.names;
    let subject = names.job_anywhere(key);
    read(connection, &names.jobs_stream(), MessageSelector::LastOn(&subject)).await
}

/// The message of the job stream with this sequence.
pub async fn message_at(connection: &Connection, sequence: u64) -> Result<Option<StoredMessage>, ReadError> {
    let stream = connection.names.jobs_stream();
    read(connection, &stream, MessageSelector::Sequence(sequence)).await
}

/// Whether a message of this job is under `sequence`: its subject ends in the key, or in the task alone where the key's id is
/// the one that is derived from this very message. A re-created stream uses its numbers again.
pub async fn stands_at(connection: &Connection, key: &JobKey, sequence: u64) -> Result<bool, ReadError> {
    let Some(message) = message_at(connection, sequence).await? else { return Ok(false) };
    let Ok(subject) = connection.names.parse_job_subject(&message.subject) else { return Ok(false) };
    let sourced = Sourced::parse(&connection.names, message.pairs());
    let stored = (message.sequence, message.stored_at);
    Ok(subject.key(sourced.as_ref(), stored, || Digest::of(&message.payload)) == *key)
}

/// The first message of the job stream that no queue has, since it is under none of the stream's own subjects: its source
/// brought it there.
pub async fn next_out_of_reach(connection: &Connection) -> Result<Option<StoredMessage>, ReadError> {
    let names = &connection.names;
    for filter in names.out_of_reach() {
        let message = read(connection, &names.jobs_stream(), MessageSelector::From(1, &filter)).await?;
        if message.is_some() {
            return Ok(message);
        }
    }
    Ok(None)
}

/// The newest message under exactly this subject of the job stream.
pub async fn message_on(connection: &Connection, subject: &str) -> Result<Option<StoredMessage>, ReadError> {
    let stream = connection.names.jobs_stream();
    read(connection, &stream, MessageSelector::LastOn(subject)).await
}

/// Deletes the message of the job stream with this sequence, if it still stands: one that no consumer delivers.
pub async fn remove_job(connection: &Connection, sequence: u64) -> Result<(), ReadError> {
    remove(connection, &connection.names.jobs_stream(), sequence).await
}
