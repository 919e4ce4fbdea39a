//! The write of an attempt's record: it is tried until the server takes it, for as long as the claim stands.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmhost_nats::{ANSWER_TIMEOUT, OwnedWrite, WriteError, limited};
use wasmhost_protocol::record::Record;

use super::completion::{Completion, WriteResult};
use super::result_blob::NotStored;
use crate::lease::write::AcceptedRevision;
use crate::lease::{Fenced, Refreshed};

/// The pause between tries to store a result or a record.
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Completion<'_> {
    /// Writes `record`, and keeps the outcome while the server has no room for it. None where the record is another's, or where
    /// the host leaves.
    pub(super) async fn write(&mut self, mut record: Record) -> Option<WriteResult> {
        // Only terminal records expire: any other would vanish before its end.
        let ttl = record.is_terminal().then(|| self.attempt.result_ttl());
        let expected = self.lease().revision();
        let mut blocked = None;
        let mut is_in_doubt = false;
        // The loop ends when a refresh between two tries accepted a newer revision: the record is to be built anew from it.
        while self.lease().revision() == expected {
            let deadline = self.write_deadline(&record);
            let written = {
                let writing = self.lease().pending_write(&record, ttl);
                // By reference: what takes a future by value has room for it twice.
                let writing = pin!(writing);
                let writing = pin!(before_deadline(deadline, writing));
                self.attempt.lease.keep_alive_while(writing).await
            };
            match written {
                Some(Ok(written)) => return self.accept(record, written, is_in_doubt),
                Some(Err(WriteError::TooLarge(_))) if record.shrink() => {}
                Some(Err(WriteError::TooLarge(_))) => return Some(WriteResult::TooLarge),
                Some(Err(error)) => {
                    let key = &self.lease().delivery().key;
                    limited!(error, job.key = %key, %error, "could not record an outcome");
                    blocked.get_or_insert_with(|| self.blocked_writes.register());
                    Box::pin(self.keep_outcome()).await?;
                }
                // The result would no longer outlive its record: it is stored anew. The same record is written after that: if
                // this write was stored without an answer, its write id tells.
                None => {
                    is_in_doubt = true;
                    match Box::pin(self.store_again()).await {
                        Ok(()) => {}
                        Err(NotStored::Revoked) => return Some(WriteResult::Superseded),
                        Err(NotStored::NotOurs) => return None,
                    }
                }
            }
        }
        Some(WriteResult::Superseded)
    }

    /// Accepts what a write left behind. None where the lease is fenced by it.
    fn accept(&mut self, record: Record, written: OwnedWrite, is_in_doubt: bool) -> Option<WriteResult> {
        match self.attempt.lease.accept_written(record, written) {
            Ok(AcceptedRevision::Written) => Some(WriteResult::Recorded),
            Ok(AcceptedRevision::Superseded) => Some(WriteResult::Superseded),
            Err(Fenced) => {
                self.log_fenced();
                // A write without an answer may have been stored, and its record may name the result.
                if !is_in_doubt {
                    self.discard_blob();
                }
                None
            }
        }
    }

    /// Keeps an outcome that waits for room: pauses, and then finds out whether the job is still this attempt's. None where it is
    /// another's, or where the host leaves: the job then runs again.
    pub(super) async fn keep_outcome(&mut self) -> Option<()> {
        // A host that leaves cannot wait for room. An outcome that is not recorded is made again by the next host.
        if self.life.handing_off.is_cancelled() {
            let key = &self.lease().delivery().key;
            limited!(error, job.key = %key, "leaving an outcome unrecorded; the job runs again elsewhere");
            return None;
        }
        self.attempt.lease.keep_alive_while(tokio::time::sleep(RETRY_DELAY)).await;
        match self.attempt.lease.refresh(Instant::now() + ANSWER_TIMEOUT).await {
            Ok(Refreshed::Yes) => drop(self.attempt.lease.extend_ack().await),
            Ok(Refreshed::NoAnswer) => {}
            Err(Fenced) => {
                self.log_fenced();
                return None;
            }
        }
        Some(())
    }

    fn log_fenced(&self) {
        let key = &self.lease().delivery().key;
        let attempt = self.lease().record().attempt;
        limited!(warn, job.key = %key, job.attempt = attempt, "fenced: another holds the job");
    }
}

/// Awaits a future until a deadline, if there is one. None where the deadline passes first; where it has passed already, the future
/// is not polled at all.
async fn before_deadline<F: Future>(deadline: Option<Instant>, awaited: F) -> Option<F::Output> {
    match deadline {
        Some(deadline) if deadline <= Instant::now() => None,
        Some(deadline) => timeout_at(deadline, awaited).await.ok(),
        None => Some(awaited.await),
    }
}
