//! Where a job's message is, as the leaders of its streams have it; for the reconciler, which ends jobs whose message is
//! nowhere (R13).

use std::time::Duration;

use wasmhost_protocol::JobKey;

use crate::jobs::{message_of, stands_at};
use crate::schedules::{due_of, schedule_of, sourcing};
use crate::{Connection, ReadError};

/// A source that was in touch within this time, has no lag, and whose stream has room, has taken what was due.
const SOURCE_CONTACT: Duration = Duration::from_secs(20);

/// Where a job's message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// It waits for its time.
    Scheduled,
    /// It was fired, and the job stream has not taken it yet, as far as can be known.
    Due,
    /// It is in the job stream, delivered or not.
    Queued,
    /// Nowhere.
    Gone,
}

/// Looks the job's message up, in the order in which it moves: it cannot slip by. `msg_seq` is its record's, where a claim
/// named one.
pub async fn whereabouts(
    connection: &Connection,
    key: &JobKey,
    msg_seq: Option<u64>,
) -> Result<Whereabouts, ReadError> {
    if schedule_of(connection, key).await?.is_some() {
        return Ok(Whereabouts::Scheduled);
    }
    if due_of(connection, key).await?.is_some() && !is_sourced(connection).await? {
        return Ok(Whereabouts::Due);
    }
    if message_of(connection, key).await?.is_some() {
        return Ok(Whereabouts::Queued);
    }
    match msg_seq {
        Some(sequence) if stands_at(connection, key, sequence).await? => Ok(Whereabouts::Queued),
        Some(_) | None => Ok(Whereabouts::Gone),
    }
}

/// Whether the job stream has taken all that was due.
async fn is_sourced(connection: &Connection) -> Result<bool, ReadError> {
    let sourcing = sourcing(connection).await?;
    let in_touch = sourcing.contact.is_some_and(|contact| contact <= SOURCE_CONTACT);
    Ok(sourcing.lag == 0 && in_touch && !sourcing.full)
}
