//! Copies of what failed, kept for people. A copy precedes the terminal write; without room for one the record wins.

use wasmhost_nats::dead::{Dead, Kept, publish_dead};
use wasmhost_nats::{Connection, Delivered, fault, limited};
use wasmhost_protocol::record::{End, ErrorKind, JobState, Record};

use crate::delivery::Delivery;
use crate::settle::Settle;

/// Tries to keep a copy before the record is written without one (R10).
const TRIES: u32 = 3;

/// Keeps a copy of a message that has no record to end, and removes it; where no copy can be kept, it stays.
pub(crate) async fn dead_letter_message(
    connection: &Connection,
    delivery: &Delivery,
    reason: &str,
    why: &str,
) -> Settle {
    limited!(error, job.key = %delivery.key, reason, why, "a message cannot become an attempt; it is kept for people");
    let kept = publish(connection, Dead::Job(&delivery.key), &delivery.message, (reason, why)).await;
    if kept { Settle::Term } else { Settle::Silent }
}

/// Keeps a copy of a message whose subject names no job, and removes it; where no copy can be kept, it stays.
pub(crate) async fn dead_letter_unreadable(
    connection: &Connection,
    message: &Delivered,
    why: &str,
) -> Settle {
    let (subject, sequence) = (wasmhost_protocol::text::escape(&message.subject), message.sequence);
    limited!(error, subject, sequence, why, "a message that is no job; it is kept for people");
    let kept =
        publish(connection, Dead::Unreadable(sequence), message, (ErrorKind::BadJob.as_str(), why)).await;
    if kept { Settle::Term } else { Settle::Silent }
}

/// Keeps a copy of a job that is about to end in FAILURE. Says whether it could.
pub(crate) async fn dead_letter_failure(
    connection: &Connection,
    message: &Delivered,
    record: &Record,
) -> bool {
    let JobState::Ended { end: End::Failure(error), .. } = &record.stage else { return true };
    publish(connection, Dead::Job(&record.key()), message, (error.kind.as_str(), &error.message)).await
}

async fn publish(connection: &Connection, dead: Dead<'_>, message: &Delivered, why: (&str, &str)) -> bool {
    for _ in 0..TRIES {
        let kept = Kept {
            dead: dead.clone(),
            subject: &message.subject,
            headers: message.readable_headers(),
            body: message.payload.clone(),
        };
        match publish_dead(connection, kept, why).await {
            Ok(()) => {
                fault::point("after-dead-letter");
                return true;
            }
            Err(error) => limited!(warn, %error, "could not keep a copy for people"),
        }
    }
    false
}
