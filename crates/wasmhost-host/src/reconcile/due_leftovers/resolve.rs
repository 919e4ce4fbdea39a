//! What becomes of a due message that the job stream has no copy of.

use wasmhost_nats::{PublishError, ReadError, StoredMessage, limited, now, publish_job, remove_due};
use wasmhost_protocol::headers::{HeaderScope, JobOptions};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::JobSubject;
use wasmhost_protocol::rules::{DueMessageDecision, DueMessageTimes, decide_due_message};

use super::copies::key_of;
use super::dead_letters::dead_letter_due;
use crate::host::Host;

/// Gives the job a message, or removes the due message if the job has ended.
pub(super) async fn resolve(host: &Host, fired: &JobSubject, due: &StoredMessage) -> Result<(), ReadError> {
    let key = key_of(fired, due);
    let options = match JobOptions::parse(due.pairs(), HeaderScope::Job) {
        Ok(options) => options,
        Err(why) => return dead_letter_due(host, due, &why.to_string()).await,
    };
    // A bucket that was recreated has forgotten records of jobs that have not ended.
    if !host.storage.bucket.refresh().await {
        return Ok(());
    }
    let stored = host.storage.records.read(&key).await?;
    let times = DueMessageTimes {
        fired_at: due.stored_at,
        bucket_created: host.storage.bucket.created(),
        now: now(),
    };
    match decide_due_message(&stored, options.revision, times) {
        DueMessageDecision::Leave => Ok(()),
        DueMessageDecision::Delete => {
            tracing::debug!(job.key = %key, sequence = due.sequence, "removing the due message of a job that has ended");
            remove_due(&host.storage.connection, due.sequence).await
        }
        DueMessageDecision::Publish => enqueue(host, Owed { fired, key, options, due }).await,
    }
}

/// A job whose due message is owed to the job stream.
struct Owed<'a> {
    fired: &'a JobSubject,
    key: JobKey,
    options: JobOptions,
    due: &'a StoredMessage,
}

/// Publishes the job's message to the job stream, and then removes the due message. A host that dies in between leaves both, of
/// which the record lets one run.
async fn enqueue(host: &Host, owed: Owed<'_>) -> Result<(), ReadError> {
    let Owed { fired, key, options, due } = owed;
    let connection = &host.storage.connection;
    match publish_job(connection, &fired.queue, &key, &options, due.payload.clone()).await {
        Ok(published) if !published.duplicate => {
            let sequence = due.sequence;
            limited!(warn, job.key = %key, sequence, "a due message had not come to its queue; it is queued now");
            remove_due(connection, sequence).await
        }
        // The job stream has a message of the job, or had one within its duplicate window: the next pass finds out.
        Ok(_) | Err(PublishError::AlreadyStored(_)) => Ok(()),
        Err(error @ PublishError::TooLarge(_)) => dead_letter_due(host, due, &error.to_string()).await,
        Err(error) => {
            limited!(warn, job.key = %key, %error, "a due message has not come to its queue, and could not be queued");
            Ok(())
        }
    }
}
