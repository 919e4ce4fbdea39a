//! Due messages: what schedules fired. Each stays in the schedule stream until a host has claimed its job and deletes
//! it. A server that loses its place in the source brings to the job stream again whatever is still there:
//! [S3](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#s3).

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::JobSubject;

use crate::connect::Connection;
use crate::message::{MessageSelector, read, remove};
use crate::read_error::ReadError;
use crate::stored::StoredMessage;
use crate::streams::purge;

/// Reads the newest due message of the job; none once a host has claimed the job.
pub async fn due_of(connection: &Connection, key: &JobKey) -> Result<Option<StoredMessage>, ReadError> {
    let names = &connection.names;
    let subject = names.due_anywhere(key);
    read(connection, &names.schedules_stream(), MessageSelector::LastOn(&subject)).await
}

/// Reads the message of the schedule stream with this sequence, be it a schedule or a due message.
pub async fn due_at(connection: &Connection, sequence: u64) -> Result<Option<StoredMessage>, ReadError> {
    let stream = connection.names.schedules_stream();
    read(connection, &stream, MessageSelector::Sequence(sequence)).await
}

/// Reads the first due message from this sequence on.
pub async fn next_due(connection: &Connection, from: u64) -> Result<Option<StoredMessage>, ReadError> {
    let names = &connection.names;
    read(connection, &names.schedules_stream(), MessageSelector::From(from, &names.due_filter())).await
}

/// Deletes the due messages on this subject, up to and with this sequence. What fires later under the same name stays.
///
/// The job stream takes due messages in their order, so that it has a copy of all that is deleted here.
pub async fn discard_due(
    connection: &Connection,
    fired: &JobSubject,
    sequence: u64,
) -> Result<(), ReadError> {
    let stream = connection.names.schedules_stream();
    let subject = connection.names.due_subject(fired);
    purge(connection, &stream, &subject, Some(sequence)).await.map(drop)
}

/// Deletes the message of the schedule stream with this sequence, if it is still stored.
pub async fn remove_due(connection: &Connection, sequence: u64) -> Result<(), ReadError> {
    remove(connection, &connection.names.schedules_stream(), sequence).await
}
