//! Recording a decision: T3, T5 and T7, each confirmed before anything is settled.

mod result;

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmhost_nats::{ANSWER_TIMEOUT, OwnedWrite, WriteError, fault, limited, now, random_write};
use wasmhost_protocol::machine::{Transition, WriteIntent, Writer, transition};
use wasmhost_protocol::outcome::Outcome;
use wasmhost_protocol::record::{End, ErrorKind, JobError, JobState, Payload, Record};
use wasmhost_protocol::rules::Decision;
use wasmhost_protocol::timestamp::Timestamp;

use crate::blobs::delete_all;
use crate::dead_letter;
use crate::lease::{Fenced, Lease};
use crate::settle::Settle;

pub(crate) use result::StoredResult;
use result::Unstored;

/// A pause between tries to store a result or a record.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What a write came to.
enum Wrote {
    /// It stands, and the lease knows it.
    Recorded,
    /// Another wrote meanwhile: the record is to be built again.
    Moved,
    /// Nothing is left to drop from it.
    TooLarge,
}

impl Lease {
    /// Records what was decided. The way to settle, once it is confirmed; none where the record is another's (R6).
    pub(crate) async fn record(&mut self, decision: Decision, outcome: &Outcome) -> Option<Settle> {
        let decided_at = now();
        let (mut event, how) = self.event(decision, outcome, decided_at).await?;
        let mut kept = None;
        loop {
            if self.record.revoke.is_some() && !matches!(event, Transition::Revoked { .. }) {
                event = revoked(outcome);
            }
            let write = random_write();
            // A delay counts from the time that the record shows.
            let now = if matches!(event, Transition::Retry { .. }) { decided_at } else { now() };
            let change =
                WriteIntent { transition: event.clone(), writer: Writer::Owner(self.token), now, write };
            let mut record = match transition(Some(&self.record), &change) {
                Ok(record) => record,
                Err(why) => {
                    tracing::error!(job.key = %self.delivery.key, %why, "an outcome that the record does not take");
                    return None;
                }
            };
            if matches!(&record.stage, JobState::Ended { end: End::Failure(_), .. }) {
                let kept = match kept {
                    Some(kept) => kept,
                    None => *kept.insert(self.dead_letter(&record).await),
                };
                if !kept {
                    record.note_missing_dead_letter();
                }
            }
            fault::point("before-record");
            match self.write(record).await? {
                Wrote::Recorded if self.record.is_terminal() => {
                    self.drop_blobs().await;
                    return Some(Settle::Ack);
                }
                Wrote::Recorded => return Some(how),
                Wrote::Moved => {}
                Wrote::TooLarge => event = self.smaller(event, outcome).await?,
            }
        }
    }

    async fn dead_letter(&mut self, record: &Record) -> bool {
        let (host, message) = (self.host.clone(), self.delivery.message.clone());
        self.hold_on_while(dead_letter::dead_letter_failure(&host, &message, record)).await
    }

    /// What the job has in the blob store but for its result goes with its end.
    async fn drop_blobs(&mut self) {
        let mut names = self.give_up_checkpoints();
        names.extend(self.unnamed_result());
        delete_all(&self.host, names).await;
    }

    /// One write of `record`; none where it is another's. While there is no room for it the outcome is kept.
    async fn write(&mut self, mut record: Record) -> Option<Wrote> {
        let ttl = record.is_terminal().then(|| self.result_ttl());
        let (key, records, expected) = (self.delivery.key.clone(), self.host.records.clone(), self.revision);
        let (mut waiting, mut unanswered) = (None, false);
        while self.revision == expected {
            let until = self.write_until(&record);
            let writing = records.write_owned(&key, &record, expected, ttl, self.token);
            let Some(wrote) = self.hold_on_while(before(until, writing)).await else {
                // The same record is written after it: if it landed unheard, that is found out by its mark.
                unanswered = true;
                match self.store_again().await {
                    Ok(()) => continue,
                    Err(Unstored::Revoked) => return Some(Wrote::Moved),
                    Err(Unstored::Gone) => return None,
                }
            };
            match wrote {
                Ok(OwnedWrite::Landed(revision)) => {
                    self.accept_revision(record, revision);
                    return Some(Wrote::Recorded);
                }
                Ok(OwnedWrite::Moved { record, revision }) => self.accept_revision(*record, revision),
                Ok(OwnedWrite::Fenced) => {
                    self.note_fenced();
                    if !unanswered {
                        self.discard_result();
                    }
                    return None;
                }
                Err(WriteError::TooLarge(_)) if record.shrink() => {}
                Err(WriteError::TooLarge(_)) => return Some(Wrote::TooLarge),
                Err(error) => {
                    limited!(error, job.key = %key, %error, "could not record an outcome");
                    waiting.get_or_insert_with(|| self.host.blocked_writes.register());
                    self.keep_outcome().await?;
                }
            }
        }
        Some(Wrote::Moved)
    }

    async fn event(
        &mut self,
        decision: Decision,
        outcome: &Outcome,
        decided_at: Timestamp,
    ) -> Option<(Transition, Settle)> {
        let usage = Some(outcome.usage);
        Some(match decision {
            Decision::Succeed(result) => (self.success(result, outcome).await?, Settle::Ack),
            Decision::Fail(error) => {
                (finish(End::Failure(error), outcome, outcome.denied.clone()), Settle::Ack)
            }
            Decision::Retry { reason, delay, charge } => (
                Transition::Retry { reason, not_before: decided_at.plus(delay), charge, usage },
                Settle::Nak(delay),
            ),
            Decision::Revoke => (revoked(outcome), Settle::Ack),
        })
    }

    /// What a server takes that takes no record of this size: the result as a blob, or a failure that says so.
    async fn smaller(&mut self, event: Transition, outcome: &Outcome) -> Option<Transition> {
        if let Transition::Finish { end: End::Success(Payload::Inline(result)), .. } = event {
            return self.success_in_blob(&result, outcome).await;
        }
        let error = JobError::new(ErrorKind::LimitExceeded, "its record is larger than the server takes");
        let smallest = finish(End::Failure(error), outcome, Vec::new());
        if event == smallest || self.record.revoke.is_some() {
            tracing::error!(job.key = %self.delivery.key, "the server takes not even the smallest record");
            return None;
        }
        Some(smallest)
    }

    /// A pause while an outcome waits for room, with a look at what became of the job. None where it is another's, or where
    /// the host leaves: the next one runs the job again.
    async fn keep_outcome(&mut self) -> Option<()> {
        if self.host.draining.is_cancelled() {
            limited!(error, job.key = %self.delivery.key, "leaving an outcome unrecorded; the job runs again elsewhere");
            return None;
        }
        self.hold_on_while(tokio::time::sleep(RETRY_DELAY)).await;
        match self.refresh(Instant::now() + ANSWER_TIMEOUT).await {
            Ok(true) => drop(self.extend_ack().await),
            Ok(false) => {}
            Err(Fenced) => {
                self.note_fenced();
                return None;
            }
        }
        Some(())
    }

    fn note_fenced(&self) {
        let (key, attempt) = (&self.delivery.key, self.record.attempt);
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

fn finish(end: End, outcome: &Outcome, denied: Vec<String>) -> Transition {
    Transition::Finish { end, usage: Some(outcome.usage), denied }
}

fn revoked(outcome: &Outcome) -> Transition {
    Transition::Revoked { reason: String::new(), usage: Some(outcome.usage) }
}
