//! Finding the message of a PENDING record: in the job stream, or, of a scheduled job, on its way there. Every look-up
//! goes in the direction in which a message moves, so that none slips past.

use wasmhost_nats::schedules::schedule_of;
use wasmhost_nats::{ReadError, StoredMessage, args_digest_of, due_of, message_of};
use wasmhost_protocol::headers::{HeaderScope, JobOptions};
use wasmhost_protocol::record::Record;

use super::{Held, Submitting};

/// Where a record's message is.
pub(super) enum Found {
    /// It stands: it is queued, or will be.
    Stands,
    /// A message of an earlier run stands in its place.
    Older,
    /// It was never published, or somebody purged it: a host settles no message before its record has an attempt or has
    /// ended.
    Nowhere,
}

impl Submitting<'_> {
    pub(super) async fn find(&self, held: &Held) -> Result<Found, ReadError> {
        match held.due() {
            None => self.find_queued(held).await,
            Some(_) => self.find_scheduled(held).await,
        }
    }

    async fn find_queued(&self, held: &Held) -> Result<Found, ReadError> {
        let message = message_of(self.client.connection(), &self.key).await?;
        Ok(self.classify(held, message.as_ref()))
    }

    async fn find_scheduled(&self, held: &Held) -> Result<Found, ReadError> {
        let connection = self.client.connection();
        let schedule = schedule_of(connection, &self.key).await?;
        if schedule.is_some() {
            return Ok(self.classify(held, schedule.as_ref()));
        }
        // What fired stands until a host has claimed the job. Under a record without an attempt it was either taken by the
        // job stream and still stands there, or is still on its way; a claim since then refuses the touch that follows.
        let due = due_of(connection, &self.key).await?;
        if due.is_some_and(|due| self.is_of_run(&held.record, &due)) {
            return Ok(Found::Stands);
        }
        // A message of an earlier run there is in nobody's way: a schedule has a subject of its own.
        match self.find_queued(held).await? {
            Found::Stands => Ok(Found::Stands),
            Found::Older | Found::Nowhere => Ok(Found::Nowhere),
        }
    }

    fn classify(&self, held: &Held, message: Option<&StoredMessage>) -> Found {
        match message {
            Some(message) if self.is_of_run(&held.record, message) => Found::Stands,
            Some(_) => Found::Older,
            None => Found::Nowhere,
        }
    }

    /// R14: a message from before the delete marker belongs to the run before. So does one of a job that was submitted at
    /// another time, for which the marker may be gone.
    fn is_of_run(&self, record: &Record, message: &StoredMessage) -> bool {
        if args_digest_of(&message.payload) != self.args_digest {
            return false;
        }
        let options = JobOptions::parse(message.pairs(), HeaderScope::Job).unwrap_or_default();
        if options.submitted_at.is_some_and(|at| at != record.submitted_at) {
            return false;
        }
        !record.is_of_later_run_than(options.revision, message.stored_at)
    }
}
