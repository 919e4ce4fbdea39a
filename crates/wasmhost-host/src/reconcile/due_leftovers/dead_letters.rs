//! Dead-letter copies of messages that can never become a job.

use wasmhost_nats::dead_letters::{self, DeadLetter, DeadLetterSource};
use wasmhost_nats::jobs::remove_job;
use wasmhost_nats::{ReadError, StoredMessage, limited, remove_due};
use wasmhost_protocol::dead_letter::DeadLetterKind;
use wasmhost_protocol::record::ErrorKind;
use wasmhost_protocol::text::escape;

use crate::due::DueMessage;
use crate::host::Host;

/// Copies a message of the job stream to the dead letters that no queue has, and removes it together with its due message. Returns
/// false, and removes nothing, where no copy could be stored.
pub(super) async fn dead_letter_queued(
    host: &Host,
    message: &StoredMessage,
    why: &str,
) -> Result<bool, ReadError> {
    if !dead_letter(host, message, why).await {
        return Ok(false);
    }
    let connection = &host.storage.connection;
    let due = DueMessage::of(&connection.names, &message.subject, message.pairs(), &message.payload);
    // The due message goes first: as long as it is there, the source may bring the message again.
    if let Some(due) = due {
        due.remove(connection).await?;
    }
    remove_job(connection, message.sequence).await.map(|()| true)
}

/// Copies a due message to the dead letters, and removes it if the copy was stored.
pub(super) async fn dead_letter_due(host: &Host, due: &StoredMessage, why: &str) -> Result<(), ReadError> {
    if dead_letter(host, due, why).await {
        remove_due(&host.storage.connection, due.sequence).await
    } else {
        Ok(())
    }
}

async fn dead_letter(host: &Host, message: &StoredMessage, why: &str) -> bool {
    let subject = escape(&message.subject);
    let sequence = message.sequence;
    let reason = format!("`{subject}`: {why}");
    limited!(
        error,
        subject,
        sequence,
        why,
        "a due message can never become a job; it is copied to the dead letters"
    );
    // Without its headers the copy may be small enough.
    for headers in [message.headers.as_ref().ok(), None] {
        let letter = DeadLetter {
            source: DeadLetterSource::Unreadable(sequence),
            kind: DeadLetterKind::Failure(ErrorKind::BadJob),
            reason: &reason,
            subject: &message.subject,
            headers,
            body: message.payload.clone(),
        };
        match dead_letters::publish(&host.storage.connection, letter).await {
            Ok(()) => return true,
            Err(error) => limited!(warn, %error, "could not store a dead-letter copy"),
        }
    }
    false
}
