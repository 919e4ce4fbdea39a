//! Where a job's message is, as the leaders of its streams have it; for the reconciler, which ends jobs whose message is
//! nowhere (R13).

use wasmhost_protocol::ids::JobKey;

use crate::connect::Connection;
use crate::due::due_of;
use crate::jobs::{message_of, stands_at};
use crate::read_error::ReadError;
use crate::schedules::schedule_of;

/// Where a job's message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageLocation {
    /// It waits for its time.
    Scheduled,
    /// It was fired, and no host has claimed the job since: the job stream has it, or will.
    Due,
    /// It is in the job stream, delivered or not.
    Queued,
    /// Nowhere.
    Gone,
}

/// Looks the job's message up, in the order in which it moves: it cannot slip by. A message enters each place before it
/// leaves the one before, and what fired leaves for a claim alone, which writes the record. So one that is in none, look by
/// look, was in none as the last look began. `msg_seq` is its record's, where a claim named one.
///
/// That something fired is believed whatever the server says of how far the job stream has come: it tells of no lag while
/// there is no room, or while a message is in the way that it cannot store.
pub async fn locate_message(
    connection: &Connection,
    key: &JobKey,
    msg_seq: Option<u64>,
) -> Result<MessageLocation, ReadError> {
    if schedule_of(connection, key).await?.is_some() {
        return Ok(MessageLocation::Scheduled);
    }
    if due_of(connection, key).await?.is_some() {
        return Ok(MessageLocation::Due);
    }
    if message_of(connection, key).await?.is_some() {
        return Ok(MessageLocation::Queued);
    }
    match msg_seq {
        Some(sequence) if stands_at(connection, key, sequence).await? => Ok(MessageLocation::Queued),
        Some(_) | None => Ok(MessageLocation::Gone),
    }
}
