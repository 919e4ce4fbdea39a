//! What schedules fired. It stands in the schedule stream until a host has claimed its job and deletes it: what still
//! stands, a server that has lost its place brings to the job stream again.

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::{JobSubject, Names};

use crate::connect::Connection;
use crate::message::{MessageSelector, read, remove};
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

/// What the job's schedule fired, while no host has claimed the job.
pub async fn due_of(connection: &Connection, key: &JobKey) -> Result<Option<StoredMessage>, ReadError> {
    let names = &connection.names;
    let subject = names.due_anywhere(key);
    read(connection, &names.schedules_stream(), MessageSelector::LastOn(&subject)).await
}

/// The message of the schedule stream with this sequence, a schedule or what one fired.
pub async fn due_at(connection: &Connection, sequence: u64) -> Result<Option<StoredMessage>, ReadError> {
    let stream = connection.names.schedules_stream();
    read(connection, &stream, MessageSelector::Sequence(sequence)).await
}

/// The first fired message from this sequence on.
pub async fn next_due(connection: &Connection, from: u64) -> Result<Option<StoredMessage>, ReadError> {
    let names = &connection.names;
    read(connection, &names.schedules_stream(), MessageSelector::From(from, &names.due_filter())).await
}

/// Deletes what fired to this subject, up to this sequence. The job stream takes what fired in its order, so that it has
/// all that is deleted; what fires later under the same name stays.
pub async fn discard_due(
    connection: &Connection,
    fired: &JobSubject,
    sequence: u64,
) -> Result<(), ReadError> {
    let (stream, subject) = (connection.names.schedules_stream(), connection.names.due_subject(fired));
    let answer = async {
        let opened = connection.jetstream.get_stream_no_info(&stream).await.map_err(|e| e.to_string())?;
        // The server keeps the sequence that it is given.
        let purge = opened.purge().filter(subject.as_str()).sequence(sequence.saturating_add(1));
        purge.await.map(drop).map_err(|e| e.to_string())
    };
    match connection.denials.or_denied(&Names::stream_purge(&stream), answer).await {
        Ok(purged) => purged.map_err(|text| ReadError::Unreachable { subject, text }),
        Err(text) => Err(ReadError::Denied { subject, text }),
    }
}

/// Deletes the message of the schedule stream with this sequence, if it still stands.
pub async fn remove_due(connection: &Connection, sequence: u64) -> Result<(), ReadError> {
    remove(connection, &connection.names.schedules_stream(), sequence).await
}
