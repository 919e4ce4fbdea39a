//! The writes of a lease's owner: each is built from the newest revision that the lease knows.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmhost_nats::{ANSWER_TIMEOUT, OwnedWrite, Records, WriteError, limited, now, random_write_id};
use wasmhost_protocol::machine::{IllegalTransition, Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::record::Record;
use wasmhost_protocol::timestamp::Timestamp;

use super::{Fenced, Lease};

/// Which revision a lease accepted after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AcceptedRevision {
    /// The record that was written.
    Written,
    /// A record that somebody else wrote under this claim, such as a client that revokes the job. The intended transition is
    /// applied to it again.
    Superseded,
}

impl Lease {
    /// Returns the record that follows from a transition by the owner at `at`.
    pub(crate) fn next_record(
        &self,
        intended: Transition,
        at: Timestamp,
    ) -> Result<Record, IllegalTransition> {
        // A new write id for each intended write: by it the writer recognises its own after an answer was lost.
        let writer = Writer::Owner(self.token);
        let intent = WriteIntent { transition: intended, writer, now: at, write: random_write_id() };
        transition(Some(&self.record), &intent)
    }

    /// Writes progress of the running attempt: its custom state, or its newest checkpoint. It is dropped where a revoke is
    /// recorded, and where the server has no room for it or does not answer in time.
    pub(crate) async fn write_progress(&mut self, intended: Transition) -> Result<(), Fenced> {
        loop {
            let record = match self.next_record(intended.clone(), now()) {
                Ok(record) => record,
                // REVOKED is the only state that is left to write, and the outcome will bring it.
                Err(IllegalTransition::Revoked) => return Ok(()),
                Err(_) => return Err(Fenced),
            };
            let until = self.times.lapses_at.min(Instant::now() + ANSWER_TIMEOUT);
            // No time to live: only terminal records expire.
            match timeout_at(until, self.pending_write(&record, None)).await {
                Ok(Ok(written)) => match self.accept_written(record, written)? {
                    AcceptedRevision::Written => return Ok(()),
                    AcceptedRevision::Superseded => {}
                },
                // The next refresh finds out whether the lease has lapsed: an outcome that waits is not thrown away for progress.
                Err(_) => return Ok(()),
                Ok(Err(error)) => {
                    limited!(warn, job.key = %self.delivery.key, %error, "could not write progress");
                    return Ok(());
                }
            }
        }
    }

    /// Returns the write of `record` over the newest revision, to be awaited. It borrows nothing of the lease, which is kept
    /// alive meanwhile.
    pub(crate) fn pending_write<'r>(
        &self,
        record: &'r Record,
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<OwnedWrite, WriteError>> + Send + use<'r> {
        let records: Records = self.storage.records.clone();
        let key = self.delivery.key.clone();
        let expected = self.revision;
        let token = self.token;
        async move { records.write_owned(&key, record, expected, ttl, token).await }
    }

    /// Accepts the revision that a write of `record` left behind.
    pub(crate) fn accept_written(
        &mut self,
        record: Record,
        written: OwnedWrite,
    ) -> Result<AcceptedRevision, Fenced> {
        match written {
            OwnedWrite::Stored(revision) => {
                self.accept_revision(record, revision);
                Ok(AcceptedRevision::Written)
            }
            OwnedWrite::Superseded { record, revision } => {
                self.accept_revision(*record, revision);
                Ok(AcceptedRevision::Superseded)
            }
            OwnedWrite::Fenced => Err(Fenced),
        }
    }
}
