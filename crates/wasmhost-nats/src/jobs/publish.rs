//! Publishing a job, so that no second message for its key can be stored.

use bytes::Bytes;
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::{JobKey, QueueName};
use wasmhost_protocol::names::header;

use super::error::PublishError;
use crate::connect::Connection;
use crate::publication::{Publication, PublishAck, publish};

/// What a stream acknowledged about a job's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The message's sequence; of a duplicate, that of the earlier message.
    pub sequence: u64,
    /// Whether the stream had stored a message with this message id within its duplicate window, and dropped this one.
    pub duplicate: bool,
}

/// Publishes a job's message. Options that only the submit service has (queue, delay, at) are left out of its headers.
///
/// The stream drops a second message for the same revision of the record. Without a revision it recognises a message by
/// the job's key alone.
pub async fn publish_job(
    connection: &Connection,
    queue: &QueueName,
    key: &JobKey,
    options: &JobOptions,
    body: Bytes,
) -> Result<Published, PublishError> {
    let message = job_publication(options, body)
        .header(header::MSG_ID, &message_id(key, options))
        .header(header::EXPECTED_STREAM, &connection.names.jobs_stream())
        // A message that is still stored refuses a second one for as long as it is there; the message id does so for
        // two minutes only, but also after the first one was settled.
        .header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
    let subject = connection.names.job_subject(queue, key);
    let stored = publish(connection, &subject, message).await;
    stored.map(|ack| Published::of(&ack)).map_err(|failure| PublishError::new(key, failure))
}

impl Published {
    pub(crate) fn of(ack: &PublishAck) -> Self {
        Self { sequence: ack.sequence, duplicate: ack.duplicate }
    }
}

/// The message id by which a stream recognises a message that is published twice.
pub(crate) fn message_id(key: &JobKey, options: &JobOptions) -> String {
    // Ids span the whole stream: with anything less than the key, one job would swallow another. The revision tells a
    // new use of the key from the one before.
    match options.revision {
        Some(revision) => format!("{key}.{revision}"),
        None => key.to_string(),
    }
}

/// A job's message with the headers of its options.
pub(crate) fn job_publication(options: &JobOptions, body: Bytes) -> Publication {
    let options = JobOptions { queue: None, delay: None, at: None, ..options.clone() };
    let mut message = Publication::new(body);
    for (name, value) in options.to_pairs() {
        message.add_header(name, &value);
    }
    message
}
