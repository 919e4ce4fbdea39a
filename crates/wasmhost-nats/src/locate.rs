//! Where the message of a job is, as the leaders of its streams have it. The reconciler ends jobs whose message is
//! nowhere: [R13](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r13).

use wasmhost_protocol::ids::JobKey;

use crate::connect::Connection;
use crate::due::due_of;
use crate::jobs::{is_stored_at, message_of};
use crate::read_error::ReadError;
use crate::schedules::schedule_of;
use crate::streams::stream_state;

/// Where the message of a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageLocation {
    /// It is a schedule, and waits for its time.
    Scheduled,
    /// It has fired, and no host has claimed the job since. The job stream has a copy, or will have one.
    Due,
    /// It is in the job stream, delivered or not.
    Queued,
    /// It is in none of the streams.
    Gone,
}

/// How many messages the streams hold through which those of jobs move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageCounts {
    /// Schedules and due messages.
    pub scheduled: u64,
    /// Messages in the job stream.
    pub queued: u64,
}

/// Counts the messages of jobs, in the order in which they move: one that moves meanwhile is counted twice, and never left out.
pub async fn count_messages(connection: &Connection) -> Result<MessageCounts, ReadError> {
    let scheduled = stream_state(connection, &connection.names.schedules_stream()).await?.messages;
    let queued = stream_state(connection, &connection.names.jobs_stream()).await?.messages;
    Ok(MessageCounts { scheduled, queued })
}

/// Finds the message of a job whose record has not changed since the messages were counted. `msg_seq` is the sequence that the job's record names, if a claim has named one.
///
/// The places are read in the order in which a message moves, so that one that moves meanwhile is found: it enters each
/// place before it leaves the one before, and a due message is deleted only at a claim, which writes the record. A
/// message that none of the reads found was nowhere when the last one began, or its record has a new revision.
pub async fn locate_message(
    connection: &Connection,
    key: &JobKey,
    msg_seq: Option<u64>,
    counts: MessageCounts,
) -> Result<MessageLocation, ReadError> {
    // What an empty stream does not hold is not looked for: after a purge that is a million reads.
    if counts.scheduled > 0 {
        if schedule_of(connection, key).await?.is_some() {
            return Ok(MessageLocation::Scheduled);
        }
        // A due message counts however little the source seems to lag: it reports no lag while the job stream has no room,
        // or while a message is in the way that it cannot store.
        if due_of(connection, key).await?.is_some() {
            return Ok(MessageLocation::Due);
        }
    }
    if counts.queued == 0 {
        return Ok(MessageLocation::Gone);
    }
    if message_of(connection, key).await?.is_some() {
        return Ok(MessageLocation::Queued);
    }
    // The subject of a message with a derived id has no id: only its sequence finds it.
    match msg_seq {
        Some(sequence) if is_stored_at(connection, key, sequence).await? => Ok(MessageLocation::Queued),
        Some(_) | None => Ok(MessageLocation::Gone),
    }
}
