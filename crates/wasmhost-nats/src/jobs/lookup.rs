//! Looking messages of the job stream up, and removing those that no consumer delivers. Every read is answered by the
//! stream's leader.

use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::ScheduleOrigin;

use crate::connect::Connection;
use crate::message::{MessageSelector, read, remove};
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

/// Reads the job's message, in whichever queue it is; none once it was settled.
///
/// A job with a derived id is not found, since the subject of its message has no id: ask [`message_at`] for its
/// sequence.
pub async fn message_of(connection: &Connection, key: &JobKey) -> Result<Option<StoredMessage>, ReadError> {
    let subject = connection.names.job_anywhere(key);
    message_on(connection, &subject).await
}

/// Reads the message of the job stream with this sequence.
pub async fn message_at(connection: &Connection, sequence: u64) -> Result<Option<StoredMessage>, ReadError> {
    let stream = connection.names.jobs_stream();
    read(connection, &stream, MessageSelector::Sequence(sequence)).await
}

/// Asks whether a message of this job is stored under `sequence`.
///
/// A message is the job's if its subject ends in the key, or in the task alone where the key's id is the one that is
/// derived from this very message: [R4](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r4).
pub async fn is_stored_at(connection: &Connection, key: &JobKey, sequence: u64) -> Result<bool, ReadError> {
    let Some(message) = message_at(connection, sequence).await? else { return Ok(false) };
    // A message alone is no answer: a stream that was recreated uses its sequences again for other jobs.
    let Ok(subject) = connection.names.parse_job_subject(&message.subject) else { return Ok(false) };
    let origin = ScheduleOrigin::parse(&connection.names, message.pairs());
    let stored = (message.sequence, message.stored_at);
    Ok(subject.key(origin.as_ref(), stored, || Digest::of(&message.payload)) == *key)
}

/// Reads the first message of the job stream that no queue has. The source brought it under a subject that is not one
/// of the stream's own, so that no consumer delivers it.
pub async fn next_undeliverable(connection: &Connection) -> Result<Option<StoredMessage>, ReadError> {
    let names = &connection.names;
    for filter in names.out_of_reach() {
        let message = read(connection, &names.jobs_stream(), MessageSelector::From(1, &filter)).await?;
        if message.is_some() {
            return Ok(message);
        }
    }
    Ok(None)
}

/// Reads the newest message of the job stream on exactly this subject.
pub async fn message_on(connection: &Connection, subject: &str) -> Result<Option<StoredMessage>, ReadError> {
    let stream = connection.names.jobs_stream();
    read(connection, &stream, MessageSelector::LastOn(subject)).await
}

/// Deletes the message of the job stream with this sequence, if it is still stored. It is meant for messages that no
/// consumer delivers; all others are removed by settling their delivery.
pub async fn remove_job(connection: &Connection, sequence: u64) -> Result<(), ReadError> {
    remove(connection, &connection.names.jobs_stream(), sequence).await
}
