//! Recording what was decided about an attempt, each step confirmed before the next: the result's blob, the copy in the dead
//! letters, then the record. Nothing is settled here.

mod result_blob;
mod success;

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmhost_nats::{ANSWER_TIMEOUT, WriteError, fault, limited, now};
use wasmhost_protocol::machine::Transition;
use wasmhost_protocol::outcome::Outcome;
use wasmhost_protocol::record::{End, ErrorKind, JobError, JobState, Payload, Record};
use wasmhost_protocol::rules::Decision;
use wasmhost_protocol::timestamp::Timestamp;

use crate::attempt::Attempt;
use crate::backpressure::BlockedWrites;
use crate::blobs::delete_all;
use crate::dead_letter;
use crate::lease::write::Accepted;
use crate::lease::{Fenced, Lease, Refreshed};
use crate::life_cycle::LifeCycle;
use crate::settle::Settlement;
use result_blob::{ResultBlob, Unstored};

/// A pause between tries to store a result or a record.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Records the outcomes of attempts.
pub(crate) struct Completer {
    life: LifeCycle,
    blocked_writes: BlockedWrites,
}

impl Completer {
    pub(crate) fn new(life: &LifeCycle, blocked_writes: &BlockedWrites) -> Self {
        Self { life: life.clone(), blocked_writes: blocked_writes.clone() }
    }

    /// Records what was decided. The way to settle, once it is confirmed; none where the record is another's, or where the
    /// host leaves before the server took the outcome.
    pub(crate) async fn complete(
        &self,
        attempt: &mut Attempt,
        decision: Decision,
        outcome: &Outcome,
    ) -> Option<Settlement> {
        Completion { completer: self, attempt, outcome, decided_at: now(), blob: None }.run(decision).await
    }
}

/// One attempt's way to its record.
struct Completion<'a> {
    completer: &'a Completer,
    attempt: &'a mut Attempt,
    outcome: &'a Outcome,
    decided_at: Timestamp,
    /// The result, where it is a blob.
    blob: Option<ResultBlob>,
}

/// What a write came to.
enum Wrote {
    /// The record is as it was to be, and the lease knows it.
    Recorded,
    /// Another wrote meanwhile: the record is to be built again.
    Moved,
    /// The server takes no record of this size, and nothing is left to drop from it.
    TooLarge,
}

impl Completion<'_> {
    async fn run(mut self, decision: Decision) -> Option<Settlement> {
        let (mut event, how) = self.event(decision).await?;
        let mut dead_lettered = None;
        loop {
            if self.lease().is_revoked() && !matches!(event, Transition::Revoked { .. }) {
                event = self.revoked();
            }
            // A delay counts from the time that the record shows.
            let at = if matches!(event, Transition::Retry { .. }) { self.decided_at } else { now() };
            let mut record = match self.lease().next_record(event.clone(), at) {
                Ok(record) => record,
                Err(why) => {
                    let key = &self.lease().delivery().key;
                    tracing::error!(job.key = %key, %why, "an outcome that the record does not take");
                    return None;
                }
            };
            if matches!(&record.stage, JobState::Ended { end: End::Failure(_), .. }) {
                let has_copy = match dead_lettered {
                    Some(has_copy) => has_copy,
                    None => *dead_lettered.insert(self.dead_letter(&record).await),
                };
                if !has_copy {
                    record.note_missing_dead_letter();
                }
            }
            fault::point("before-record");
            match self.write(record).await? {
                Wrote::Recorded if self.lease().record().is_terminal() => {
                    self.delete_blobs().await;
                    return Some(Settlement::Ack);
                }
                Wrote::Recorded => return Some(how),
                Wrote::Moved => {}
                Wrote::TooLarge => event = self.smaller_event(event).await?,
            }
        }
    }

    fn lease(&self) -> &Lease {
        &self.attempt.lease
    }

    /// What is to be recorded, and how the delivery is settled after that.
    async fn event(&mut self, decision: Decision) -> Option<(Transition, Settlement)> {
        let usage = Some(self.outcome.usage);
        Some(match decision {
            Decision::Succeed(result) => (self.success(result).await?, Settlement::Ack),
            Decision::Fail(error) => (self.failure(error, self.outcome.denied.clone()), Settlement::Ack),
            Decision::Retry { reason, delay, charge } => {
                let not_before = self.decided_at.plus(delay);
                (Transition::Retry { reason, not_before, charge, usage }, Settlement::Nak(delay))
            }
            Decision::Revoke => (self.revoked(), Settlement::Ack),
        })
    }

    fn failure(&self, error: JobError, denied: Vec<String>) -> Transition {
        Transition::Finish { end: End::Failure(error), usage: Some(self.outcome.usage), denied }
    }

    fn succeeded(&self, payload: Payload) -> Transition {
        Transition::Finish { end: End::Success(payload), usage: Some(self.outcome.usage), denied: Vec::new() }
    }

    fn revoked(&self) -> Transition {
        Transition::Revoked { reason: String::new(), usage: Some(self.outcome.usage) }
    }

    /// What a server takes that takes no record of this size: the result as a blob, or a failure that says so.
    async fn smaller_event(&mut self, event: Transition) -> Option<Transition> {
        if let Transition::Finish { end: End::Success(Payload::Inline(result)), .. } = event {
            return self.success_in_blob(&result).await;
        }
        let error = JobError::new(ErrorKind::LimitExceeded, "its record is larger than the server takes");
        let smallest = self.failure(error, Vec::new());
        if event == smallest || self.lease().is_revoked() {
            let key = &self.lease().delivery().key;
            tracing::error!(job.key = %key, "the server takes not even the smallest record");
            return None;
        }
        Some(smallest)
    }

    async fn dead_letter(&mut self, record: &Record) -> bool {
        let connection = self.lease().connection().clone();
        let message = self.lease().message().clone();
        let publishing = dead_letter::dead_letter_failure(&connection, &message, record);
        self.attempt.lease.keep_while(publishing).await
    }

    /// Writes `record`. None where it is another's, or where the host leaves. While there is no room for it the outcome is kept.
    async fn write(&mut self, mut record: Record) -> Option<Wrote> {
        let ttl = record.is_terminal().then(|| self.attempt.result_ttl());
        let expected = self.lease().revision();
        let mut blocked = None;
        let mut unanswered = false;
        while self.lease().revision() == expected {
            let until = self.write_until(&record);
            let writing = self.lease().pending_write(&record, ttl);
            let Some(written) = self.attempt.lease.keep_while(before(until, writing)).await else {
                // The same record is written after it: if this write was stored unheard, its mark tells.
                unanswered = true;
                match self.store_again().await {
                    Ok(()) => continue,
                    Err(Unstored::Revoked) => return Some(Wrote::Moved),
                    Err(Unstored::Gone) => return None,
                }
            };
            match written {
                Ok(written) => match self.attempt.lease.accept_written(record, written) {
                    Ok(Accepted::Landed) => return Some(Wrote::Recorded),
                    Ok(Accepted::Moved) => return Some(Wrote::Moved),
                    Err(Fenced) => {
                        self.note_fenced();
                        if !unanswered {
                            self.discard_blob();
                        }
                        return None;
                    }
                },
                Err(WriteError::TooLarge(_)) if record.shrink() => {}
                Err(WriteError::TooLarge(_)) => return Some(Wrote::TooLarge),
                Err(error) => {
                    let key = &self.lease().delivery().key;
                    limited!(error, job.key = %key, %error, "could not record an outcome");
                    blocked.get_or_insert_with(|| self.completer.blocked_writes.register());
                    self.keep_outcome().await?;
                }
            }
        }
        Some(Wrote::Moved)
    }

    /// A pause while an outcome waits for room, with a look at what became of the job. None where it is another's, or where
    /// the host leaves: the next one runs the job again.
    async fn keep_outcome(&mut self) -> Option<()> {
        if self.completer.life.draining.is_cancelled() {
            let key = &self.lease().delivery().key;
            limited!(error, job.key = %key, "leaving an outcome unrecorded; the job runs again elsewhere");
            return None;
        }
        self.attempt.lease.keep_while(tokio::time::sleep(RETRY_DELAY)).await;
        match self.attempt.lease.refresh(Instant::now() + ANSWER_TIMEOUT).await {
            Ok(Refreshed::Yes) => drop(self.attempt.lease.extend_ack().await),
            Ok(Refreshed::NoAnswer) => {}
            Err(Fenced) => {
                self.note_fenced();
                return None;
            }
        }
        Some(())
    }

    /// What the job has in the blob store but for its result goes with its end.
    async fn delete_blobs(&mut self) {
        let Attempt { checkpoints, lease, .. } = &mut *self.attempt;
        let mut names = checkpoints.give_up(lease, &self.completer.life);
        names.extend(self.unnamed_blob());
        delete_all(self.lease().connection(), names).await;
    }

    fn note_fenced(&self) {
        let key = &self.lease().delivery().key;
        let attempt = self.lease().record().attempt;
        limited!(warn, job.key = %key, job.attempt = attempt, "fenced: another holds the job");
    }
}

/// What comes of it, where it comes in time. Not begun where the time is over.
async fn before<F: Future>(until: Option<Instant>, awaited: F) -> Option<F::Output> {
    match until {
        Some(until) if until <= Instant::now() => None,
        Some(until) => timeout_at(until, awaited).await.ok(),
        None => Some(awaited.await),
    }
}
