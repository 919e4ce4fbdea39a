//! The copies that the job stream has of due messages.

use wasmhost_nats::jobs::message_on;
use wasmhost_nats::{ReadError, StoredMessage, message_of};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::{JobSubject, ScheduleOrigin};

use crate::host::Host;

/// Finds the message that the job stream has of the job of a due message. All jobs without an id have the same subject there, so
/// that any message on it counts as the copy of such a one.
pub(super) async fn copy_of(
    host: &Host,
    fired: &JobSubject,
    due: &StoredMessage,
) -> Result<Option<StoredMessage>, ReadError> {
    let connection = &host.storage.connection;
    if fired.id.is_none() {
        let subject = connection.names.job_without_id(&fired.queue, &fired.task);
        if let Some(queued) = message_on(connection, &subject).await? {
            return Ok(Some(queued));
        }
    }
    message_of(connection, &key_of(fired, due)).await
}

/// Finds the message that the job stream has on the subject to which a due message goes that names no job.
pub(super) async fn copy_on_subject_of(
    host: &Host,
    due: &StoredMessage,
) -> Result<Option<StoredMessage>, ReadError> {
    let connection = &host.storage.connection;
    match connection.names.job_of_due(&due.subject) {
        Some(subject) => message_on(connection, &subject).await,
        None => Ok(None),
    }
}

/// Returns the key of the job of a due message.
pub(super) fn key_of(fired: &JobSubject, due: &StoredMessage) -> JobKey {
    let origin = ScheduleOrigin::of_due(due.sequence, due.pairs());
    fired.key(Some(&origin), (due.sequence, due.stored_at), || Digest::of(&due.payload))
}
