//! What fired and was left behind. A job that the job stream has no message of gets it again: somebody removed it there, or the
//! source is held up by a message that the stream cannot store. What names no job, and so reaches no queue, is kept for
//! people and removed; so is what belongs to a job that has ended.

use std::collections::HashMap;

use wasmhost_nats::dead::{Dead, Kept, publish_dead};
use wasmhost_nats::jobs::{message_on, next_out_of_reach, remove_job};
use wasmhost_nats::schedules::sourcing;
use wasmhost_nats::{
    PublishError, ReadError, StoredMessage, digest_of, limited, message_of, next_due, now, publish_job,
    remove_due,
};
use wasmhost_protocol::headers::{HeaderScope, JobOptions};
use wasmhost_protocol::ids::{JobKey, QueueName};
use wasmhost_protocol::names::Sourced;
use wasmhost_protocol::names::{JobSubject, Names};
use wasmhost_protocol::record::ErrorKind;
use wasmhost_protocol::rules::{DueMessageDecision, DueMessageTimes, decide_due_message};

use crate::host::Host;

/// Fired messages that one look may cost: each is one that no host has claimed.
const AT_A_LOOK: usize = 250;
/// Messages without a copy that are remembered from one pass to the next; more have to wait until these are seen to.
const REMEMBERED: usize = 100_000;

/// What the looks so far have found.
pub(super) struct DueLeftovers<'a> {
    host: &'a Host,
    /// Where the next look starts in the schedule stream.
    from: u64,
    /// The number of the pass over the schedule stream: it may take many looks.
    pass: u64,
    /// Those that had no copy in the job stream, by sequence, with the pass that saw it so last.
    alone: HashMap<u64, u64>,
}

impl<'a> DueLeftovers<'a> {
    pub(super) fn new(host: &'a Host) -> Self {
        Self { host, from: 1, pass: 0, alone: HashMap::new() }
    }

    pub(super) async fn look(&mut self) -> Result<(), ReadError> {
        let connection = &self.host.storage.connection;
        for _ in 0..AT_A_LOOK {
            let Some(message) = next_out_of_reach(connection).await? else { break };
            if !dead_letter_queued(self.host, &message, "its subject names no queue and no task").await? {
                break;
            }
        }
        for _ in 0..AT_A_LOOK {
            let Some(due) = next_due(connection, self.from).await? else {
                self.next_pass();
                break;
            };
            self.from = due.sequence + 1;
            if !self.see(&due).await? {
                self.alone.remove(&due.sequence);
            } else if self.alone.len() < REMEMBERED || self.alone.contains_key(&due.sequence) {
                self.alone.insert(due.sequence, self.pass);
            }
        }
        Ok(())
    }

    fn next_pass(&mut self) {
        let pass = self.pass;
        self.alone.retain(|_, seen| *seen == pass);
        (self.from, self.pass) = (1, pass + 1);
    }

    /// Whether it is without a copy. At a second pass that finds it so, it is seen to.
    async fn see(&self, due: &StoredMessage) -> Result<bool, ReadError> {
        let connection = &self.host.storage.connection;
        let fired = connection.names.parse_due_subject(&due.subject);
        let copy = match &fired {
            Ok(fired) => copy_of(self.host, fired, due).await?,
            Err(_) => unread_copy_of(self.host, due).await?,
        };
        match (fired, copy) {
            (Err(why), Some(copy)) if !is_delivered(&connection.names, &copy) => {
                dead_letter_queued(self.host, &copy, &why.to_string()).await.map(|_| false)
            }
            (_, Some(_)) => Ok(false),
            (fired, None) => {
                // A hint alone: what comes twice runs once.
                let before = self.alone.get(&due.sequence).is_some_and(|seen| *seen < self.pass);
                if before && sourcing(connection).await?.is_done() {
                    match fired {
                        Ok(fired) => see_to(self.host, &fired, due).await?,
                        Err(why) => dead_letter_due(self.host, due, &why.to_string()).await?,
                    }
                }
                Ok(true)
            }
        }
    }
}

/// The message that the job stream has of it; of one without an id, any that could be.
async fn copy_of(
    host: &Host,
    fired: &JobSubject,
    due: &StoredMessage,
) -> Result<Option<StoredMessage>, ReadError> {
    let (connection, names) = (&host.storage.connection, &host.storage.connection.names);
    if fired.id.is_none()
        && let Some(queued) = message_on(connection, &names.job_without_id(&fired.queue, &fired.task)).await?
    {
        return Ok(Some(queued));
    }
    message_of(connection, &key_of(fired, due)).await
}

async fn unread_copy_of(host: &Host, due: &StoredMessage) -> Result<Option<StoredMessage>, ReadError> {
    match host.storage.connection.names.job_of_due(&due.subject) {
        Some(subject) => message_on(&host.storage.connection, &subject).await,
        None => Ok(None),
    }
}

/// Whether the consumer of some queue has it.
fn is_delivered(names: &Names, queued: &StoredMessage) -> bool {
    let rest = queued.subject.strip_prefix(names.jobs_filter().trim_end_matches('>'));
    let queue = rest.and_then(|rest| rest.split_once('.')).map(|(queue, _)| queue);
    queue.is_some_and(|queue| QueueName::parse(queue).is_ok())
}

fn key_of(fired: &JobSubject, due: &StoredMessage) -> JobKey {
    let sourced = Sourced::of_due(due.sequence, due.pairs());
    fired.key(Some(&sourced), (due.sequence, due.stored_at), || digest_of(&due.payload))
}

/// Gives the job its message, or removes what fired where the job has ended.
async fn see_to(host: &Host, fired: &JobSubject, due: &StoredMessage) -> Result<(), ReadError> {
    let key = key_of(fired, due);
    let options = match JobOptions::parse(due.pairs(), HeaderScope::Job) {
        Ok(options) => options,
        Err(why) => return dead_letter_due(host, due, &why.to_string()).await,
    };
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
            tracing::debug!(job.key = %key, sequence = due.sequence, "removes what fired for a job that has ended");
            remove_due(&host.storage.connection, due.sequence).await
        }
        DueMessageDecision::Publish => queue(host, (fired, &key), &options, due).await,
    }
}

/// The job stream has it before the schedule stream loses it; a host that finds two runs one.
async fn queue(
    host: &Host,
    (fired, key): (&JobSubject, &JobKey),
    options: &JobOptions,
    due: &StoredMessage,
) -> Result<(), ReadError> {
    match publish_job(&host.storage.connection, &fired.queue, key, options, due.payload.clone()).await {
        Ok(published) if !published.duplicate => {
            let sequence = due.sequence;
            limited!(warn, job.key = %key, sequence, "what fired had not come to the queue; it is queued now");
            remove_due(&host.storage.connection, sequence).await
        }
        Ok(_) | Err(PublishError::Stands(_)) => Ok(()),
        Err(error @ PublishError::TooLarge(_)) => dead_letter_due(host, due, &error.to_string()).await,
        Err(error) => {
            limited!(warn, job.key = %key, %error, "what fired has not come to the queue, and could not be queued");
            Ok(())
        }
    }
}

/// Keeps a copy of a message that no queue has, and removes it with what it fired from. False: no copy could be kept.
async fn dead_letter_queued(host: &Host, message: &StoredMessage, why: &str) -> Result<bool, ReadError> {
    if !dead_letter(host, message, why).await {
        return Ok(false);
    }
    let fired = crate::due::DueMessage::of(
        &host.storage.connection.names,
        &message.subject,
        message.pairs(),
        &message.payload,
    );
    if let Some(fired) = fired {
        fired.remove(&host.storage.connection).await?;
    }
    remove_job(&host.storage.connection, message.sequence).await.map(|()| true)
}

async fn dead_letter_due(host: &Host, due: &StoredMessage, why: &str) -> Result<(), ReadError> {
    if dead_letter(host, due, why).await {
        remove_due(&host.storage.connection, due.sequence).await
    } else {
        Ok(())
    }
}

async fn dead_letter(host: &Host, message: &StoredMessage, why: &str) -> bool {
    let (shown, sequence) = (wasmhost_protocol::text::escape(&message.subject), message.sequence);
    limited!(error, subject = shown, sequence, why, "what fired can never be a job; it is kept for people");
    let reason = format!("`{shown}`: {why}");
    for headers in [message.headers.as_ref().ok(), None] {
        let kept = Kept {
            dead: Dead::Unreadable(sequence),
            subject: &message.subject,
            headers,
            body: message.payload.clone(),
        };
        match publish_dead(&host.storage.connection, kept, (ErrorKind::BadJob.as_str(), &reason)).await {
            Ok(()) => return true,
            // Without its headers it may be small enough.
            Err(error) => limited!(warn, %error, "could not keep a copy for people"),
        }
    }
    false
}
