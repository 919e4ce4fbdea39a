//! The writes of a lease's owner: each is built from the newest revision, and tells what it left in the record.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmhost_nats::{ANSWER_TIMEOUT, OwnedWrite, Records, WriteError, limited, now, random_write};
use wasmhost_protocol::machine::{Illegal, Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::record::Record;
use wasmhost_protocol::timestamp::Timestamp;

use super::{Fenced, Lease};

/// What a write left in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// What was written.
    Landed,
    /// What somebody else wrote meanwhile, under this claim: the record is to be built again.
    Moved,
}

impl Lease {
    /// The record that follows from `event`, as its owner would write it at `at`.
    pub(crate) fn next_record(&self, event: Transition, at: Timestamp) -> Result<Record, Illegal> {
        let writer = Writer::Owner(self.token);
        let intent = WriteIntent { transition: event, writer, now: at, write: random_write() };
        transition(Some(&self.record), &intent)
    }

    /// Writes what the running attempt shows: its state or its newest checkpoint. A revoke in the record means that it is
    /// dropped, and so does a server that has no room.
    pub(crate) async fn write_progress(&mut self, event: Transition) -> Result<(), Fenced> {
        loop {
            let record = match self.next_record(event.clone(), now()) {
                Ok(record) => record,
                Err(Illegal::Revoked) => return Ok(()),
                Err(_) => return Err(Fenced),
            };
            let until = self.lapses_at.min(Instant::now() + ANSWER_TIMEOUT);
            let written = timeout_at(until, self.pending_write(&record, None)).await;
            match written {
                Ok(Ok(written)) => match self.accept_written(record, written)? {
                    Accepted::Landed => return Ok(()),
                    Accepted::Moved => {}
                },
                // Whether the lease has lapsed with it is for the next refresh to say; an outcome is not thrown away for it.
                Err(_) => return Ok(()),
                Ok(Err(error)) => {
                    limited!(warn, job.key = %self.delivery.key, %error, "could not write progress");
                    return Ok(());
                }
            }
        }
    }

    /// A write of `record` over the newest revision, to be awaited. It borrows nothing of the lease, which is kept meanwhile.
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

    /// Takes over what came of a write of `record`.
    pub(crate) fn accept_written(&mut self, record: Record, written: OwnedWrite) -> Result<Accepted, Fenced> {
        match written {
            OwnedWrite::Landed(revision) => {
                self.accept_revision(record, revision);
                Ok(Accepted::Landed)
            }
            OwnedWrite::Moved { record, revision } => {
                self.accept_revision(*record, revision);
                Ok(Accepted::Moved)
            }
            OwnedWrite::Fenced => Err(Fenced),
        }
    }
}
