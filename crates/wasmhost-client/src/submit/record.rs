//! The record of a submission: what stands under the key decides whether a PENDING record is made, touched or left alone.

use std::pin::pin;

use tokio::time::timeout;
use wasmhost_nats::{EndNotice, WriteError, Written, fault, now};
use wasmhost_protocol::arguments::is_args_digest;
use wasmhost_protocol::machine::{JobSpec, Transition, transition};
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{End, ErrorKind, JobState, Record, StoredEntry};
use wasmhost_protocol::timestamp::Timestamp;

use super::error::SubmitError;
use super::submitting::{Pending, Step, Submitting};
use crate::intent::client_intent;

impl Submitting<'_> {
    /// Decides by what stands under the key.
    pub(super) async fn record(&mut self, stored: StoredEntry) -> Result<Step, SubmitError> {
        match stored {
            StoredEntry::Absent => self.create(0, None).await,
            StoredEntry::Deleted(marker) => self.create(marker.revision, Some(marker.revision)).await,
            // Boxed, since most ids are new.
            StoredEntry::Record { record, revision } => Box::pin(self.meet(*record, revision)).await,
            StoredEntry::Unreadable { why, .. } => {
                Err(SubmitError::Unreadable { key: self.key.clone(), why })
            }
            StoredEntry::Newer { version, .. } => {
                let why = format!("version {version} is newer than this client");
                Err(SubmitError::Unreadable { key: self.key.clone(), why })
            }
        }
    }

    /// Makes the PENDING record, over the delete marker `after` where there is one.
    async fn create(&self, expected: u64, after: Option<u64>) -> Result<Step, SubmitError> {
        // The id became free again after the time for publishing: a record made now could be ended before its message.
        if self.is_late() {
            return Err(self.unreachable("its record vanished meanwhile"));
        }
        let options = &self.submission.options;
        let job = JobSpec {
            key: self.key.clone(),
            queue: self.submission.queue.clone(),
            submitted_at: now(),
            not_before: self.due,
            expires_at: options.expires_at,
            max_attempts: options.max_attempts,
            args_digest: Some(self.args_digest),
            digest: options.digest,
            parent: options.parent.clone(),
            notify: self.notice.as_ref().map(EndNotice::inbox).or(options.notify.as_ref()).cloned(),
            after,
        };
        let record = transition(None, &client_intent(Transition::Submit(job)))
            .expect("a client may record a job where none stands");
        self.write(record, expected, true).await
    }

    /// Meets a record: that of another job with this id, or this submission's own after a write without an answer.
    async fn meet(&mut self, record: Record, revision: u64) -> Result<Step, SubmitError> {
        // The end of another's job is told to whoever submitted that.
        self.notice.take_if(|notice| record.notify.as_ref() != Some(notice.inbox()));
        if let Some(free_at) = never_published(&record) {
            return Err(SubmitError::NotPublished { key: self.key.clone(), free_at });
        }
        let is_same = |digest| is_args_digest(digest, &self.submission.arguments);
        if !record.args_digest.is_some_and(is_same) {
            return Err(SubmitError::Conflict { key: self.key.clone() });
        }
        match record.state {
            JobState::Pending { .. } => self.touch(&record, revision).await,
            JobState::Running(_) | JobState::Retry { .. } | JobState::Ended { .. } => {
                Ok(Step::Accepted(record.label(), revision))
            }
        }
    }

    /// Writes a PENDING record again without changing what it says. Only a new revision stops a reconciler that has read the
    /// record already and is about to end it; a read would not.
    pub(super) async fn touch(&self, record: &Record, revision: u64) -> Result<Step, SubmitError> {
        let touched = transition(Some(record), &client_intent(Transition::Touch))
            .expect("a client may touch PENDING without an attempt");
        self.write(touched, revision, false).await
    }

    async fn write(&self, record: Record, expected: u64, is_own: bool) -> Result<Step, SubmitError> {
        // The write is tried until its end is known, which may be later than the job may be published.
        // By reference: what takes a future by value has room for it twice.
        let written = {
            let writing = pin!(self.client.records().write(&self.key, &record, expected, None));
            timeout(self.client.publish_timeout(), writing).await
        };
        match written {
            Ok(Ok(Written::Stored(revision))) => {
                fault::point("after-pending");
                Ok(Step::Publish(Pending { record: Box::new(record), revision, is_own }))
            }
            Ok(Ok(Written::Superseded(stored))) => Ok(Step::Decide(stored)),
            Ok(Err(error)) => Err(self.not_written(error)),
            Err(_) => Err(self.unreachable("no answer to the write of its record")),
        }
    }

    fn not_written(&self, error: WriteError) -> SubmitError {
        let key = self.key.clone();
        match error {
            WriteError::Full { text, .. } => self.full(text),
            WriteError::Denied { text, .. } => SubmitError::Denied { key, why: text },
            WriteError::NotSetUp { text, .. } => SubmitError::NotSetUp { key, why: text },
            WriteError::TooLarge(_) => SubmitError::OverServerLimit { key, why: "its record" },
            // What is left leaves open whether the record was written.
            error => self.unreachable(error.to_string()),
        }
    }
}

/// When the id of a job is free again whose message was never published.
fn never_published(record: &Record) -> Option<Timestamp> {
    match &record.state {
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
