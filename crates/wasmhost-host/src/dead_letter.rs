//! Dead-letter copies of what failed. A copy precedes the terminal write
//! ([R7](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r7)); where none can be stored, the record is written
//! without one, and a message that has no record to end stays where it is.

use wasmhost_nats::dead_letters::{self, DeadLetter, DeadLetterSource};
use wasmhost_nats::{Connection, Delivered, fault, limited};
use wasmhost_protocol::dead_letter::DeadLetterKind;
use wasmhost_protocol::record::{ErrorKind, Record};
use wasmhost_protocol::text::escape;

use crate::delivery::Delivery;
use crate::settle::Settlement;

/// How often storing a copy is tried, before the record is written without one. The end of the job is worth more than the copy,
/// and each try may take the five seconds in which an answer is expected.
const MAX_TRIES: u32 = 3;

/// The reason for a copy: its kind, and one sentence for people.
#[derive(Clone, Copy)]
struct Reason<'a> {
    kind: DeadLetterKind,
    text: &'a str,
}

/// Copies a message to the dead letters whose record is left as it is, because the message cannot become an attempt. The message
/// is removed if the copy was stored.
pub(crate) async fn dead_letter_message(
    connection: &Connection,
    delivery: &Delivery,
    kind: DeadLetterKind,
    reason: &str,
) -> Settlement {
    limited!(error, job.key = %delivery.key, kind = kind.as_str(), reason, "a message cannot become an attempt; it is copied to the dead letters");
    let source = DeadLetterSource::Job(&delivery.key);
    let is_stored = publish(connection, source, &delivery.message, Reason { kind, text: reason }).await;
    remove_if(is_stored)
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
    let reason = Reason { kind: DeadLetterKind::Failure(ErrorKind::BadJob), text: why };
    remove_if(publish(connection, DeadLetterSource::Unreadable(sequence), message, reason).await)
}

/// Copies the message of a job to the dead letters that is about to end in FAILURE as `record`. Returns whether the copy was
/// stored, or none is needed.
pub(crate) async fn dead_letter_failure(
    connection: &Connection,
    message: &Delivered,
    record: &Record,
) -> bool {
    let Some(error) = record.failure() else { return true };
    let reason = Reason { kind: DeadLetterKind::Failure(error.kind), text: &error.message };
    publish(connection, DeadLetterSource::Job(&record.key()), message, reason).await
}

/// A message that has no record to end is lost if it is removed without a copy: it stays, and is delivered again.
fn remove_if(is_copied: bool) -> Settlement {
    if is_copied { Settlement::Term } else { Settlement::Silent }
}

async fn publish(
    connection: &Connection,
    source: DeadLetterSource<'_>,
    message: &Delivered,
    reason: Reason<'_>,
) -> bool {
    for _ in 0..MAX_TRIES {
        let letter = DeadLetter {
            source,
            kind: reason.kind,
            reason: reason.text,
            subject: &message.subject,
            headers: message.readable_headers(),
            body: message.payload.clone(),
        };
        match dead_letters::publish(connection, letter).await {
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
