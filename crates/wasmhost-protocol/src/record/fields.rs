//! The fields of a record, and the type that lets only the state machine change them.

use std::ops::Deref;

use super::error::JobError;
use super::parts::{BlobRef, DeliveryOrdinal, Payload, Revoke, Token, Usage, WriteId};
use super::state::{End, JobState, StateLabel};
use crate::digest::Digest;
use crate::ids::{HostId, Inbox, JobId, JobKey, QueueName, TaskName};
use crate::json::Json;
use crate::timestamp::Timestamp;

/// A `Record` is everything that is known of a job.
///
/// Its fields are those of [`RecordFields`] and can be read, as in `record.attempt`. No other crate can build
/// or change a record: it comes out of [`crate::machine::transition`], or out of the JSON of one that did
/// ([`Record::from_bytes`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Record(RecordFields);

/// `RecordFields` are the fields of a [`Record`], through which they are read. Later versions add fields.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RecordFields {
    /// The state of the job, with what belongs to that state. [`Record::label`] returns its label.
    pub state: JobState,
    /// The JSON that goes with the state: progress in a custom state, the reason in RETRY.
    pub meta: Option<Json>,
    /// The task that the job runs.
    pub task: TaskName,
    /// The job's id.
    pub id: JobId,
    /// The number of claims so far; 0 while no host has claimed the job.
    pub attempt: u32,
    /// The attempts in all, where the job or its module's policy says so.
    pub max_attempts: Option<u32>,
    /// The queue that the job waits in.
    pub queue: QueueName,
    /// The host that claimed the job last.
    pub host: Option<HostId>,
    /// When the job was submitted; for a raw job, when its message was stored.
    pub submitted_at: Timestamp,
    /// When the current or last attempt was claimed.
    pub started_at: Option<Timestamp>,
    /// When this revision was made, by the clock of its writer.
    pub updated_at: Timestamp,
    /// The time after which no attempt starts.
    pub expires_at: Option<Timestamp>,
    /// The version of the module that every attempt runs: the one that the job pins, else the one that was
    /// current at the first claim.
    pub digest: Option<Digest>,
    /// What the last attempt used that ended with an outcome.
    pub usage: Option<Usage>,
    /// The digest of the arguments' canonical form.
    pub args_digest: Option<Digest>,
    /// The job that this one came from.
    pub parent: Option<JobKey>,
    /// The inbox that is told the end of the job.
    pub notify: Option<Inbox>,
    /// The request that the job not run, or stop.
    pub revoke: Option<Revoke>,
    /// The powers that a failed attempt asked for and was denied; at most ten.
    pub denied: Vec<String>,
    /// The newest checkpoint.
    pub checkpoint: Option<BlobRef>,
    /// The fence. It changes at every claim, and only the owner of the claim writes under it.
    pub token: Option<Token>,
    /// The id of the newest write. By it a writer recognises its own write after the answer was lost.
    pub write: WriteId,
    /// The number of ended attempts that count against `max_attempts`.
    pub charged: u32,
    /// The number of claims that ended without any outcome.
    pub lost: u32,
    /// The delivery of the newest claim.
    pub delivery: Option<DeliveryOrdinal>,
    /// The sequence of the job's message in the job stream.
    pub msg_seq: Option<u64>,
    /// The revision of the delete marker that this use of the id was written over, where the id was used
    /// before.
    pub after: Option<u64>,
    /// The fields that this version does not know, as they were read.
    pub unknown: Vec<(String, Json)>,
}

// There is no `DerefMut` in the product: a field that anybody could set would be a transition that no guard
// has seen.
impl Deref for Record {
    type Target = RecordFields;

    fn deref(&self) -> &RecordFields {
        &self.0
    }
}

/// Tests may change a record in ways that no history leads to.
#[cfg(test)]
impl std::ops::DerefMut for Record {
    fn deref_mut(&mut self) -> &mut RecordFields {
        &mut self.0
    }
}

impl Record {
    /// Makes a record of fields that the state machine or the reader of JSON has put together.
    pub(crate) fn seal(fields: RecordFields) -> Self {
        Self(fields)
    }

    /// Returns the fields of a record that may still change before it is written.
    pub(super) fn fields_mut(&mut self) -> &mut RecordFields {
        &mut self.0
    }

    /// Returns the fields, from which the next record is built.
    pub(crate) fn into_fields(self) -> RecordFields {
        self.0
    }

    /// Returns the job's key.
    #[must_use]
    pub fn key(&self) -> JobKey {
        JobKey::new(self.task.clone(), self.id.clone())
    }

    /// Returns the label of the state, which is the word that the record shows.
    #[must_use]
    pub fn label(&self) -> StateLabel {
        self.state.label()
    }

    /// Returns whether the job has ended, after which nothing follows.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.state.is_terminal()
    }

    /// Returns the error of a job that has ended in FAILURE.
    #[must_use]
    pub fn failure(&self) -> Option<&JobError> {
        match &self.state {
            JobState::Ended { end: End::Failure(error), .. } => Some(error),
            JobState::Pending { .. }
            | JobState::Running(_)
            | JobState::Retry { .. }
            | JobState::Ended { end: End::Success(_) | End::Revoked, .. } => None,
        }
    }

    /// Returns the blob that holds the result of a job, where the result is not in the record.
    #[must_use]
    pub fn result_blob(&self) -> Option<&BlobRef> {
        match &self.state {
            JobState::Ended { end: End::Success(Payload::Blob(blob)), .. } => Some(blob),
            JobState::Pending { .. }
            | JobState::Running(_)
            | JobState::Retry { .. }
            | JobState::Ended { .. } => None,
        }
    }

    /// Returns the number of attempts, the current one included, that neither count against `max_attempts`
    /// nor were lost: hand-offs and faults of hosts.
    #[must_use]
    pub fn uncharged(&self) -> u32 {
        self.attempt.saturating_sub(self.charged.saturating_add(self.lost))
    }

    /// Returns whether a message belongs to an earlier use of the job's id than this record does. An id is
    /// free again once its record was deleted; the record that is written then names the delete marker in
    /// `after`. A message that names the revision of its own record is compared with the marker, and any
    /// other by the time at which it was stored.
    #[must_use]
    pub fn is_of_later_run_than(&self, message_revision: Option<u64>, stored_at: Timestamp) -> bool {
        // Without a marker under it, this is the first use of the id, or all earlier ones ended longer ago
        // than a marker lives.
        let Some(after) = self.after else { return false };
        match message_revision {
            Some(revision) => revision < after,
            // A raw message was stored when it was submitted.
            None => stored_at < self.submitted_at,
        }
    }

    /// Returns whether `expires_at` has passed, so that no attempt starts any more.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}
