//! What stands on the server: messages of the job stream and the schedules, and the numbers of the states bucket. Asks the
//! leaders, and changes nothing.

use std::collections::HashSet;

use async_nats::jetstream::stream::{Info, Stream};
use wasmhost_nats::{Connection, StoredMessage, digest_of, stored_at, stored_from};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::Names;
use wasmhost_protocol::names::Sourced;

use crate::capture::Left;

/// Messages that are listed at most: a run that leaves more has not ended.
const MOST_LEFT: usize = 100_000;

/// Why it is not known what stands on the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookError {
    /// No answer.
    #[error("look at `{stream}`: {text}")]
    Unreachable {
        /// The stream.
        stream: String,
        /// What went wrong.
        text: String,
    },
    /// More stands than is listed.
    #[error("look at `{stream}`: more than {MOST_LEFT} messages are left")]
    TooMany {
        /// The stream.
        stream: String,
    },
}

/// The messages that still stand in the schedules, those that fired and that no host has claimed yet, and those of the job
/// stream. One that fired and is queued is left once.
pub async fn left(connection: &Connection) -> Result<Vec<Left>, LookError> {
    let names = &connection.names;
    let (jobs, waiting) = (names.jobs_stream(), names.schedules_stream());
    let [scheduled, due] = names.schedule_subjects();
    // In the order in which a message moves, so that none slips through.
    let mut left = messages(connection, &waiting, &scheduled).await?;
    let fired = messages(connection, &waiting, &due).await?;
    let queued = messages(connection, &jobs, &names.jobs_filter()).await?;
    let keys: HashSet<_> = queued.iter().filter_map(|queued| queued.key.as_ref()).collect();
    left.extend(fired.into_iter().filter(|fired| fired.key.as_ref().is_none_or(|key| !keys.contains(key))));
    left.extend(queued);
    Ok(left)
}

/// How many messages stand in the job stream.
pub(crate) async fn queued(connection: &Connection) -> Result<u64, LookError> {
    Ok(info(connection, &connection.names.jobs_stream()).await?.state.messages)
}

/// The newest revision of the states bucket.
pub(crate) async fn last_revision(connection: &Connection) -> Result<u64, LookError> {
    Ok(info(connection, &connection.names.states_stream()).await?.state.last_sequence)
}

/// The revision with this number, if it still stands.
pub(crate) async fn revision_at(
    connection: &Connection,
    number: u64,
) -> Result<Option<StoredMessage>, LookError> {
    let stream = connection.names.states_stream();
    message(connection, &stream, (number, None)).await
}

async fn messages(connection: &Connection, stream: &str, filter: &str) -> Result<Vec<Left>, LookError> {
    let mut left = Vec::new();
    let mut from = 1;
    while let Some(message) = message(connection, stream, (from, Some(filter))).await? {
        if left.len() == MOST_LEFT {
            return Err(LookError::TooMany { stream: stream.to_owned() });
        }
        from = message.sequence + 1;
        let key = key_of(&connection.names, &message);
        left.push(Left { subject: message.subject, sequence: message.sequence, key });
    }
    Ok(left)
}

/// The job that the message is of; of a job without an id, the one that is derived.
fn key_of(names: &Names, message: &StoredMessage) -> Option<JobKey> {
    let (headers, body) = (|| message.pairs(), || digest_of(&message.payload));
    let stored = (message.sequence, message.stored_at);
    if let Ok(job) = names.parse_job_subject(&message.subject) {
        let sourced = Sourced::parse(names, headers());
        return Some(job.key(sourced.as_ref(), stored, body));
    }
    if let Ok(fired) = names.parse_due_subject(&message.subject) {
        let fired_as = Sourced::of_due(message.sequence, headers());
        return Some(fired.key(Some(&fired_as), stored, body));
    }
    let [scheduled, _] = names.schedule_subjects();
    let rest = message.subject.strip_prefix(scheduled.trim_end_matches('>'))?;
    JobKey::parse(rest.split_once('.')?.1).ok()
}

/// The message with this number; with a filter the first one from it on.
async fn message(
    connection: &Connection,
    stream: &str,
    (number, filter): (u64, Option<&str>),
) -> Result<Option<StoredMessage>, LookError> {
    let read = match filter {
        Some(filter) => stored_from(connection, stream, number, filter).await,
        None => stored_at(connection, stream, number).await,
    };
    read.map_err(|error| unreachable(stream, error))
}

async fn open(connection: &Connection, stream: &str) -> Result<Stream<()>, LookError> {
    let opened = connection.jetstream.get_stream_no_info(stream).await;
    opened.map_err(|error| unreachable(stream, error))
}

async fn info(connection: &Connection, stream: &str) -> Result<Info, LookError> {
    let info = open(connection, stream).await?.get_info().await;
    info.map_err(|error| unreachable(stream, error))
}

fn unreachable(stream: &str, error: impl std::fmt::Display) -> LookError {
    LookError::Unreachable { stream: stream.to_owned(), text: error.to_string() }
}
