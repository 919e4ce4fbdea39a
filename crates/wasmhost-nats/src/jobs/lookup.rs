//! Looking messages of the job stream up, and removing those that no queue has.

use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::Sourced;

use crate::connect::Connection;
use crate::message::{MessageSelector, read, remove};
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

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
