//! Everything that is known of a job, field by field, and the seal that lets only the state machine change it.

use super::parts::{BlobRef, DeliveryOrdinal, Revoke, Token, Usage, WriteId};
use super::state::{JobState, StateLabel};
use std::ops::Deref;

use crate::digest::Digest;
use crate::ids::{HostId, JobId, JobKey, QueueName, TaskName};
use crate::json::Json;
use crate::timestamp::Timestamp;

/// Everything that is known of a job.
///
/// Whoever has a record reads its fields (`record.attempt`). Nobody outside this crate builds or changes one: a record comes
/// out of [`crate::machine::transition`], or out of the JSON of one that did ([`Record::from_bytes`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Record(RecordFields);

/// What a record says, field by field. Read through [`Record`].
#[derive(Debug, Clone, PartialEq)]
pub struct RecordFields {
    /// Where the job stands.
    pub stage: JobState,
    /// The JSON that goes with the state.
    pub meta: Option<Json>,
    /// The task.
    pub task: TaskName,
    /// The job's id.
    pub id: JobId,
    /// Claims so far; 0 while nothing claimed it.
    pub attempt: u32,
    /// Attempts in all, where the job or its module says so.
    pub max_attempts: Option<u32>,
    /// The queue that the job waits in.
    pub queue: QueueName,
    /// The host that claimed it last.
    pub host: Option<HostId>,
    /// When it was submitted; for a raw job, when its message was stored.
    pub submitted_at: Timestamp,
    /// When the current or last attempt was claimed.
    pub started_at: Option<Timestamp>,
    /// When this revision was made.
    pub updated_at: Timestamp,
    /// After this time no attempt starts.
    pub expires_at: Option<Timestamp>,
    /// The module's digest, from the first claim on.
    pub digest: Option<Digest>,
    /// What the last ended attempt used.
    pub usage: Option<Usage>,
    /// Digest of the arguments.
    pub args_digest: Option<Digest>,
    /// The job that submitted this one.
    pub parent: Option<JobKey>,
    /// The request to stop.
    pub revoke: Option<Revoke>,
    /// Powers that a failed attempt asked for and was denied.
    pub denied: Vec<String>,
    /// The newest checkpoint.
    pub checkpoint: Option<BlobRef>,
    /// The fence: changes at each claim, only the claim's owner writes under it.
    pub token: Option<Token>,
    /// Recognises an own write whose answer was lost.
    pub write: WriteId,
    /// Ended attempts that count against `max_attempts`.
    pub charged: u32,
    /// Claims that ended without any outcome.
    pub lost: u32,
    /// The delivery of the newest claim.
    pub delivery: Option<DeliveryOrdinal>,
    /// The message in the job stream that this record belongs to.
    pub msg_seq: Option<u64>,
    /// The revision of the delete marker that this use of the id was written over.
    pub after: Option<u64>,
    /// Fields that this version does not know, kept as they came.
    pub unknown: Vec<(String, Json)>,
}

impl Deref for Record {
    type Target = RecordFields;

    fn deref(&self) -> &RecordFields {
        &self.0
    }
}

/// Tests build what no history leads to.
#[cfg(test)]
impl std::ops::DerefMut for Record {
    fn deref_mut(&mut self) -> &mut RecordFields {
        &mut self.0
    }
}

impl Record {
    /// Seals what the state machine, or the reader of JSON, put together.
    pub(crate) fn seal(fields: RecordFields) -> Self {
        Self(fields)
    }

    /// The fields, for what may still change before it is written.
    pub(super) fn fields_mut(&mut self) -> &mut RecordFields {
        &mut self.0
    }

    /// The fields, to build the next record from.
    pub(crate) fn into_fields(self) -> RecordFields {
        self.0
    }

    /// The job's key.
    #[must_use]
    pub fn key(&self) -> JobKey {
        JobKey::new(self.task.clone(), self.id.clone())
    }

    /// The word for where it stands.
    #[must_use]
    pub fn state(&self) -> StateLabel {
        self.stage.state()
    }

    /// Whether nothing follows.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.stage.is_terminal()
    }

    /// Attempts, the current one included, that neither count against `max_attempts` nor were lost.
    #[must_use]
    pub fn uncharged(&self) -> u32 {
        self.attempt.saturating_sub(self.charged.saturating_add(self.lost))
    }

    /// Whether a message belongs to an earlier run of the job's id than this record. An id is free again once its record
    /// was deleted; the record that is written then names the delete marker in `after`. The message either names the
    /// revision of its own record, or is told by when it was stored.
    #[must_use]
    pub fn is_of_later_run_than(&self, message_revision: Option<u64>, stored_at: Timestamp) -> bool {
        let Some(after) = self.after else { return false };
        match message_revision {
            Some(revision) => revision < after,
            None => stored_at < self.submitted_at,
        }
    }

    /// Whether `expires_at` has passed.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}
