//! Dead-letter copies of what failed. A copy precedes the terminal write
//! ([R7](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r7)); where none can be stored, the record is written
//! without one, and a message that has no record to end stays where it is.

use wasmhost_nats::dead::{Dead, Kept, publish_dead};
use wasmhost_nats::{Connection, Delivered, fault, limited};
use wasmhost_protocol::record::{End, ErrorKind, JobState, Record};
use wasmhost_protocol::text::escape;

use crate::delivery::Delivery;
use crate::settle::Settlement;

/// How often storing a copy is tried, before the record is written without one.
const TRIES: u32 = 3;

/// Copies a message to the dead letters whose record is left as it is, because the message cannot become an attempt. The message
/// is removed if the copy was stored.
pub(crate) async fn dead_letter_message(
    connection: &Connection,
    delivery: &Delivery,
    reason: &str,
    why: &str,
) -> Settlement {
    limited!(error, job.key = %delivery.key, reason, why, "a message cannot become an attempt; it is copied to the dead letters");
    let has_copy = publish(connection, Dead::Job(&delivery.key), &delivery.message, (reason, why)).await;
    settlement_of(has_copy)
}

/// Copies a message to the dead letters whose subject names no job. The message is removed if the copy was stored.
pub(crate) async fn dead_letter_unreadable(
    connection: &Connection,
    message: &Delivered,
    why: &str,
) -> Settlement {
    let subject = escape(&message.subject);
    let sequence = message.sequence;
    limited!(
        error,
        subject,
        sequence,
        why,
        "the subject of a message names no job; it is copied to the dead letters"
    );
    let reason = (ErrorKind::BadJob.as_str(), why);
    settlement_of(publish(connection, Dead::Unreadable(sequence), message, reason).await)
}

/// Copies the message of a job to the dead letters that is about to end in FAILURE as `record`. Returns whether the copy was
/// stored, or none is needed.
pub(crate) async fn dead_letter_failure(
    connection: &Connection,
    message: &Delivered,
    record: &Record,
) -> bool {
    let JobState::Ended { end: End::Failure(error), .. } = &record.stage else { return true };
    publish(connection, Dead::Job(&record.key()), message, (error.kind.as_str(), &error.message)).await
}

/// A message that has no record to end is lost if it is removed without a copy: it stays, and is delivered again.
fn settlement_of(has_copy: bool) -> Settlement {
    if has_copy { Settlement::Term } else { Settlement::Silent }
}

async fn publish(connection: &Connection, dead: Dead<'_>, message: &Delivered, reason: (&str, &str)) -> bool {
    for _ in 0..TRIES {
        let copy = Kept {
            dead: dead.clone(),
            subject: &message.subject,
            headers: message.readable_headers(),
            body: message.payload.clone(),
        };
        match publish_dead(connection, copy, reason).await {
            Ok(()) => {
                // A host that dies here leaves a copy without an end: the next one decides anew, and may store another.
                fault::point("after-dead-letter");
                return true;
            }
            Err(error) => limited!(warn, %error, "could not store a dead-letter copy"),
        }
    }
    false
}
