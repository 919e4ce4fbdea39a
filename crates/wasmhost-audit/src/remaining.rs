//! What is on the server: messages of the job stream and the schedules, and the numbers of the states bucket. It is read
//! from the leaders, and nothing is changed.

use std::collections::HashSet;

use wasmhost_nats::{Connection, StoredMessage, StreamState, read_message, read_next_message, stream_state};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::names::ScheduleOrigin;

use crate::capture::Remaining;

/// Messages that are listed at most. A run that has more has not ended.
const MAX_REMAINING: usize = 100_000;

/// The reason why the messages that remain on the server could not be listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The server did not answer, or with an error.
    #[error("list `{stream}`: {text}")]
    Unreachable {
        /// The stream.
        stream: String,
        /// What went wrong.
        text: String,
    },
    /// The stream has more messages than are listed.
    #[error("list `{stream}`: more than {MAX_REMAINING} messages remain")]
    TooMany {
        /// The stream.
        stream: String,
    },
}

/// Lists the messages that remain: schedules, what schedules fired and no host has claimed yet, and the job stream. A message
/// that fired and is queued is listed once.
pub async fn remaining(connection: &Connection) -> Result<Vec<Remaining>, ListError> {
    let names = &connection.names;
    let jobs = names.jobs_stream();
    let waiting = names.schedules_stream();
    let [scheduled, due] = names.schedule_subjects();
    // Read in the order in which a message moves: one that moves meanwhile is still seen.
    let mut remaining = messages(connection, &waiting, &scheduled).await?;
    let fired = messages(connection, &waiting, &due).await?;
    let queued = messages(connection, &jobs, &names.jobs_filter()).await?;
    let keys: HashSet<_> = queued.iter().filter_map(|queued| queued.key.as_ref()).collect();
    let unqueued = |message: &Remaining| message.key.as_ref().is_none_or(|key| !keys.contains(key));
    remaining.extend(fired.into_iter().filter(unqueued));
    remaining.extend(queued);
    Ok(remaining)
}

/// How many messages the job stream holds.
pub(crate) async fn queued(connection: &Connection) -> Result<u64, ListError> {
    Ok(state(connection, &connection.names.jobs_stream()).await?.messages)
}

/// The newest revision of the states bucket.
pub(crate) async fn last_revision(connection: &Connection) -> Result<u64, ListError> {
    Ok(state(connection, &connection.names.states_stream()).await?.last)
}

/// The revision with this number; none where it was overwritten or deleted.
pub(crate) async fn revision_at(
    connection: &Connection,
    number: u64,
) -> Result<Option<StoredMessage>, ListError> {
    let stream = connection.names.states_stream();
    message(connection, &stream, (number, None)).await
}

async fn messages(connection: &Connection, stream: &str, filter: &str) -> Result<Vec<Remaining>, ListError> {
    let mut remaining = Vec::new();
    let mut from = 1;
    while let Some(message) = message(connection, stream, (from, Some(filter))).await? {
        if remaining.len() == MAX_REMAINING {
            return Err(ListError::TooMany { stream: stream.to_owned() });
        }
        from = message.sequence + 1;
        let key = key_of(&connection.names, &message);
        remaining.push(Remaining { subject: message.subject, sequence: message.sequence, key });
    }
    Ok(remaining)
}

/// The key of the message's job. A job without an id has a derived one.
fn key_of(names: &Names, message: &StoredMessage) -> Option<JobKey> {
    let headers = || message.pairs();
    let body = || Digest::of(&message.payload);
    let stored = (message.sequence, message.stored_at);
    if let Ok(job) = names.parse_job_subject(&message.subject) {
        let origin = ScheduleOrigin::parse(names, headers());
        return Some(job.key(origin.as_ref(), stored, body));
    }
    if let Ok(fired) = names.parse_due_subject(&message.subject) {
        let fired_as = ScheduleOrigin::of_due(message.sequence, headers());
        return Some(fired.key(Some(&fired_as), stored, body));
    }
    let (_, key) = names.parse_schedule_subject(&message.subject).ok()?;
    Some(key)
}

/// The message with this number, or with a filter the first one from that number on.
async fn message(
    connection: &Connection,
    stream: &str,
    (number, filter): (u64, Option<&str>),
) -> Result<Option<StoredMessage>, ListError> {
    let read = match filter {
        Some(filter) => read_next_message(connection, stream, number, filter).await,
        None => read_message(connection, stream, number).await,
    };
    read.map_err(|error| unreachable(stream, error))
}

async fn state(connection: &Connection, stream: &str) -> Result<StreamState, ListError> {
    stream_state(connection, stream).await.map_err(|error| unreachable(stream, error))
}

fn unreachable(stream: &str, error: impl std::fmt::Display) -> ListError {
    ListError::Unreachable { stream: stream.to_owned(), text: error.to_string() }
}
