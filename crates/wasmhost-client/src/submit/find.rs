//! Finding the message of a PENDING record: in the job stream, or, for a scheduled job, on its way there. The places are
//! read in the direction in which a message moves, so that it is not missed while it moves.

use wasmhost_nats::schedules::schedule_of;
use wasmhost_nats::{ReadError, StoredMessage, due_of, message_of};
use wasmhost_protocol::arguments::args_digest;
use wasmhost_protocol::headers::{HeaderScope, JobOptions};
use wasmhost_protocol::record::Record;

use super::submitting::{Pending, Submitting};

/// Where the message of a record was found.
pub(super) enum Found {
    /// It is stored: the job is queued, or will be.
    Stored,
    /// A message of an earlier run, a job that had the same id before, is in its place.
    OfEarlierRun,
    /// It was never published, or somebody purged it. No host has settled it, since a host does that only when the record
    /// has an attempt or has ended.
    Nowhere,
}

impl Submitting<'_> {
    /// Looks for the message of `pending`.
    pub(super) async fn find(&self, pending: &Pending) -> Result<Found, ReadError> {
        match pending.due() {
            None => self.find_queued(pending).await,
            Some(_) => self.find_scheduled(pending).await,
        }
    }

    async fn find_queued(&self, pending: &Pending) -> Result<Found, ReadError> {
        let message = message_of(self.client.connection(), &self.key).await?;
        Ok(self.classify(pending, message.as_ref()))
    }

    async fn find_scheduled(&self, pending: &Pending) -> Result<Found, ReadError> {
        let connection = self.client.connection();
        let schedule = schedule_of(connection, &self.key).await?;
        if schedule.is_some() {
            return Ok(self.classify(pending, schedule.as_ref()));
        }
        // What fired stays until a host has claimed the job. While the record has no attempt, the job stream either has it
        // already or is about to get it; a claim since then makes the touch that follows fail.
        let due = due_of(connection, &self.key).await?;
        if due.is_some_and(|due| self.is_of_run(&pending.record, &due)) {
            return Ok(Found::Stored);
        }
        // A message of an earlier run in the job stream is in nobody's way, since a schedule has a subject of its own.
        match self.find_queued(pending).await? {
            Found::Stored => Ok(Found::Stored),
            Found::OfEarlierRun | Found::Nowhere => Ok(Found::Nowhere),
        }
    }

    fn classify(&self, pending: &Pending, message: Option<&StoredMessage>) -> Found {
        match message {
            Some(message) if self.is_of_run(&pending.record, message) => Found::Stored,
            Some(_) => Found::OfEarlierRun,
            None => Found::Nowhere,
        }
    }

    /// Whether a message belongs to the run of this record. A message from before the delete marker that the record was
    /// written over belongs to an earlier run
    /// ([R14](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r14)). So does one that was submitted at
    /// another time: the marker between the two may be gone.
    fn is_of_run(&self, record: &Record, message: &StoredMessage) -> bool {
        if args_digest(&message.payload) != self.args_digest {
            return false;
        }
        let options = JobOptions::parse(message.pairs(), HeaderScope::Job).unwrap_or_default();
        if options.submitted_at.is_some_and(|at| at != record.submitted_at) {
            return false;
        }
        !record.is_of_later_run_than(options.revision, message.stored_at)
    }
}
