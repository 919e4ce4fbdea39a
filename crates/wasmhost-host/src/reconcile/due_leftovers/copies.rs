//! The copies that the job stream has of due messages.

use wasmhost_nats::jobs::message_on;
use wasmhost_nats::{ReadError, StoredMessage, digest_of, message_of};
use wasmhost_protocol::ids::{JobKey, QueueName};
use wasmhost_protocol::names::{JobSubject, Names, Sourced};

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

/// Returns whether the consumer of some queue delivers a message of the job stream.
pub(super) fn is_in_a_queue(names: &Names, queued: &StoredMessage) -> bool {
    let rest = queued.subject.strip_prefix(names.jobs_filter().trim_end_matches('>'));
    let queue = rest.and_then(|rest| rest.split_once('.')).map(|(queue, _)| queue);
    queue.is_some_and(|queue| QueueName::parse(queue).is_ok())
}

/// Returns the key of the job of a due message.
pub(super) fn key_of(fired: &JobSubject, due: &StoredMessage) -> JobKey {
    let sourced = Sourced::of_due(due.sequence, due.pairs());
    fired.key(Some(&sourced), (due.sequence, due.stored_at), || digest_of(&due.payload))
}
