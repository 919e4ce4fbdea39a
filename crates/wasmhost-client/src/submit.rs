//! Submitting one job (R1): PENDING first (T0), then the message, or the schedule that fires it. Whenever it is doubtful
//! whether the message belongs to the record that stands, the record is touched (T0b) before the job is reported accepted.

use ::wasmhost_protocol as protocol;
use tokio::time::{Instant, timeout};
use wasmhost_nats::{Written, args_digest_of, fault, is_args_digest_of, now, random_write};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::machine::{Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{End, ErrorKind, JobState, Record, StateLabel, StoredEntry};
use wasmhost_protocol::timestamp::Timestamp;

use crate::client::Client;
use crate::job::Handle;
use crate::submission::Checked;
use crate::submission::Submission;

mod error;
mod find;
mod publish;

pub use error::SubmitError;

/// A job that was accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its handle.
    pub job: Handle,
    /// Its state: PENDING, or where an equal job with this id stands.
    pub state: StateLabel,
    /// The revision of its record.
    pub revision: u64,
}

impl Client {
    /// Submits a job. Accepted means that its message is in the stream, or its schedule on the server, or that a job with
    /// the same id and the same arguments stands; a job that stands keeps the time for which it was submitted first. After
    /// an error that leaves it open, submit again with the same id.
    pub async fn submit(&self, submission: Submission) -> Result<Accepted, SubmitError> {
        submission.check()?;
        if submission.checked == Checked::ByRegistry {
            self.manifests().check(self, &submission).await?;
        }
        let submitting = Submitting {
            client: self,
            key: submission.key(),
            args_digest: args_digest_of(&submission.arguments),
            due: submission.due(now()),
            submission,
            started: Instant::now(),
            doubt: false,
        };
        submitting.run().await
    }
}

/// A submission under way.
struct Submitting<'a> {
    client: &'a Client,
    submission: Submission,
    key: JobKey,
    args_digest: Digest,
    /// When it is to be queued, if not at once.
    due: Option<Timestamp>,
    /// Before the first T0 was sent.
    started: Instant,
    /// Whether a publish was sent whose fate is not known: T11 would then take the record from under a message.
    doubt: bool,
}

/// What follows from a write.
enum Step {
    /// Done.
    Accepted(StateLabel, u64),
    /// Something else stands: decide again.
    Decide(StoredEntry),
    /// The record stands as PENDING: publish.
    Publish(Held),
}

/// A PENDING record that this submission wrote last.
struct Held {
    record: Box<Record>,
    revision: u64,
    /// Whether T0 was this client's; one that only touched never deletes the record.
    created: bool,
}

impl Held {
    /// When the job is due, where it is scheduled: as the record has it, whoever wrote that.
    fn due(&self) -> Option<Timestamp> {
        self.record.stage.not_before()
    }
}

impl Submitting<'_> {
    async fn run(mut self) -> Result<Accepted, SubmitError> {
        // Most ids are new: T0 without a read.
        let mut step = Step::Decide(StoredEntry::Absent);
        loop {
            step = match step {
                Step::Accepted(state, revision) => {
                    return Ok(Accepted { job: self.client.job(&self.key), state, revision });
                }
                Step::Decide(stored) => self.decide(stored).await?,
                Step::Publish(held) => self.publish(held).await?,
            };
        }
    }

    async fn decide(&self, stored: StoredEntry) -> Result<Step, SubmitError> {
        match stored {
            StoredEntry::Absent => self.create(0, None).await,
            StoredEntry::Deleted(marker) => self.create(marker.revision, Some(marker.revision)).await,
            StoredEntry::Record { record, revision } => self.meet(*record, revision).await,
            StoredEntry::Unreadable { why, .. } => {
                Err(SubmitError::Unreadable { key: self.key.clone(), why })
            }
            StoredEntry::Newer { version, .. } => {
                let why = format!("version {version} is newer than this client");
                Err(SubmitError::Unreadable { key: self.key.clone(), why })
            }
        }
    }

    /// T0.
    async fn create(&self, expected: u64, after: Option<u64>) -> Result<Step, SubmitError> {
        if self.is_late() {
            return Err(self.unreachable("its record vanished meanwhile"));
        }
        let options = &self.submission.options;
        let job = protocol::machine::JobSpec {
            key: self.key.clone(),
            queue: self.submission.queue.clone(),
            submitted_at: now(),
            not_before: self.due,
            expires_at: options.expires_at,
            max_attempts: options.max_attempts,
            args_digest: Some(self.args_digest),
            digest: options.digest,
            parent: options.parent.clone(),
            after,
        };
        let record = transition(None, &change(Transition::Submit(job)))
            .expect("a client may record a job where none stands");
        self.write(record, expected, true).await
    }

    /// Another record, or this one after a doubt.
    async fn meet(&self, record: Record, revision: u64) -> Result<Step, SubmitError> {
        if let Some(free_at) = never_published(&record) {
            return Err(SubmitError::NotPublished { key: self.key.clone(), free_at });
        }
        let ours = |digest| is_args_digest_of(digest, &self.submission.arguments);
        if !record.args_digest.is_some_and(ours) {
            return Err(SubmitError::Conflict { key: self.key.clone() });
        }
        match record.stage {
            JobState::Pending { .. } => self.touch(&record, revision).await,
            JobState::Running(_) | JobState::Retry { .. } | JobState::Ended { .. } => {
                Ok(Step::Accepted(record.state(), revision))
            }
        }
    }

    /// T0b: a read alone would be no fence against a reconciler already on its way.
    async fn touch(&self, record: &Record, revision: u64) -> Result<Step, SubmitError> {
        let touched = transition(Some(record), &change(Transition::Touch))
            .expect("a client may touch PENDING without an attempt");
        self.write(touched, revision, false).await
    }

    async fn write(&self, record: Record, expected: u64, created: bool) -> Result<Step, SubmitError> {
        let written = self.client.records().write(&self.key, &record, expected, None);
        match timeout(self.client.publish_within(), written).await {
            Ok(Ok(Written::Landed(revision))) => {
                fault::point("after-pending");
                Ok(Step::Publish(Held { record: Box::new(record), revision, created }))
            }
            Ok(Ok(Written::Moved(stored))) => Ok(Step::Decide(stored)),
            Ok(Err(error)) => Err(self.refused_write(error)),
            Err(_) => Err(self.unreachable("no answer to the write of its record")),
        }
    }

    /// Whether the time is over in which it may be published: a reconciler could be at work on its record.
    fn is_late(&self) -> bool {
        self.started.elapsed() > self.client.publish_within()
    }
}

fn change(event: Transition) -> WriteIntent {
    WriteIntent { transition: event, writer: Writer::Client, now: now(), write: random_write() }
}

/// When the id is free again of a job whose message never came.
fn never_published(record: &Record) -> Option<Timestamp> {
    match &record.stage {
        JobState::Ended { end: End::Failure(error), finished_at }
            if error.kind == ErrorKind::NotPublished =>
        {
            Some(finished_at.plus(Policy::NEVER_RAN_TTL))
        }
        JobState::Ended { .. } | JobState::Pending { .. } | JobState::Running(_) | JobState::Retry { .. } => {
            None
        }
    }
}
