//! Publishing a job, so that no second message for a key can stand.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use bytes::Bytes;
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::{JobKey, QueueName};
use wasmhost_protocol::names::header;

use super::error::PublishError;
use crate::connect::Connection;
use crate::message::{header_value, publish};

/// A message that the job stream acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its sequence; of the earlier message, where it is a duplicate.
    pub sequence: u64,
    /// Whether the stream had taken a message with this id within the duplicate window, and dropped this one.
    pub duplicate: bool,
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
        headers.insert(name, header_value(&value));
    }
    headers
}
