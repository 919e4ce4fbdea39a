//! Recording a decision: T3, T5 and T7, each confirmed before anything is settled.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use wasmhost_nats::{ANSWER_TIMEOUT, OwnedWrite, WriteError, blobs, fault, limited, now, random_write};
use wasmhost_protocol::{
    Change, Decision, End, ErrorKind, Event, JobError, Json, Limits, Outcome, Payload, Record, Stage, Writer,
    next,
};

use crate::dead;
use crate::lease::{Fenced, Lease};
use crate::settle::Settle;

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

/// Why a result was not stored.
enum Unstored {
    /// The job was revoked meanwhile.
    Revoked,
    /// The record is another's, or the host leaves.
    Gone,
}

impl Lease {
    /// Records what was decided. The way to settle, once it is confirmed; none where the record is another's (R6).
    pub(crate) async fn record(&mut self, decision: Decision, outcome: &Outcome) -> Option<Settle> {
        let (mut event, how) = self.event(decision, outcome).await?;
        let mut kept = None;
        loop {
            if self.record.revoke.is_some() && !matches!(event, Event::Revoked { .. }) {
                event = revoked(outcome);
            }
            let write = random_write();
            let change =
                Change { event: event.clone(), writer: Writer::Owner(self.token), now: now(), write };
            let mut record = match next(Some(&self.record), &change) {
                Ok(record) => record,
                Err(why) => {
                    tracing::error!(job.key = %self.delivery.key, %why, "an outcome that the record does not take");
                    return None;
                }
            };
            if matches!(&record.stage, Stage::Ended { end: End::Failure(_), .. }) {
                let kept = match kept {
                    Some(kept) => kept,
                    None => *kept.insert(self.bury(&record).await),
                };
                dead::note_unburied(&mut record, kept);
            }
            fault::point("before-record");
            match self.write(record).await? {
                Wrote::Recorded if self.record.is_terminal() => return Some(Settle::Ack),
                Wrote::Recorded => return Some(how),
                Wrote::Moved => {}
                Wrote::TooLarge => event = self.smaller(event, outcome).await?,
            }
        }
    }

    async fn bury(&mut self, record: &Record) -> bool {
        let (host, message) = (self.host.clone(), self.delivery.message.clone());
        self.hold_on_while(dead::bury_failure(&host, &message, record)).await
    }

    /// One write of `record`; none where it is another's. While there is no room for it the outcome is kept.
    async fn write(&mut self, mut record: Record) -> Option<Wrote> {
        let ttl = record.is_terminal().then(|| self.result_ttl());
        let (key, records, expected) = (self.delivery.key.clone(), self.host.records.clone(), self.revision);
        let mut waiting = None;
        while self.revision == expected {
            let writing = records.write_owned(&key, &record, expected, ttl, self.token);
            match self.hold_on_while(writing).await {
                Ok(OwnedWrite::Landed(revision)) => {
                    self.adopt(record, revision);
                    return Some(Wrote::Recorded);
                }
                Ok(OwnedWrite::Moved { record, revision }) => self.adopt(*record, revision),
                Ok(OwnedWrite::Fenced) => {
                    self.note_fenced();
                    return None;
                }
                Err(WriteError::TooLarge(_)) if shrink(&mut record) => {}
                Err(WriteError::TooLarge(_)) => return Some(Wrote::TooLarge),
                Err(error) => {
                    limited!(error, job.key = %key, %error, "could not record an outcome");
                    waiting.get_or_insert_with(|| self.host.room.wait());
                    self.keep_outcome().await?;
                }
            }
        }
        Some(Wrote::Moved)
    }

    async fn event(&mut self, decision: Decision, outcome: &Outcome) -> Option<(Event, Settle)> {
        let usage = Some(outcome.usage);
        Some(match decision {
            Decision::Succeed(result) => (self.success(result, outcome).await?, Settle::Ack),
            Decision::Fail(error) => {
                (finish(End::Failure(error), outcome, outcome.denied.clone()), Settle::Ack)
            }
            Decision::Retry { reason, delay, charge } => {
                (Event::Retry { reason, not_before: now().plus(delay), charge, usage }, Settle::Nak(delay))
            }
            Decision::Revoke => (revoked(outcome), Settle::Ack),
        })
    }

    /// R10: a result that is too large for the record goes to a blob, which precedes the record.
    async fn success(&mut self, result: Json, outcome: &Outcome) -> Option<Event> {
        if self.delivery.options.result_ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Some(finish(End::Success(Payload::Inline(Json::null())), outcome, Vec::new()));
        }
        if result.as_str().len() <= Limits::INLINE_RESULT_BYTES {
            return Some(finish(End::Success(Payload::Inline(result)), outcome, Vec::new()));
        }
        match self.store(&result).await {
            Ok(payload) => Some(finish(End::Success(payload), outcome, Vec::new())),
            Err(Unstored::Revoked) => Some(revoked(outcome)),
            Err(Unstored::Gone) => None,
        }
    }

    async fn store(&mut self, result: &Json) -> Result<Payload, Unstored> {
        let (name, bytes) = (self.blob_name("result"), Bytes::from(result.as_str().to_owned()));
        let connection = self.host.connection.clone();
        let mut waiting = None;
        loop {
            match self.hold_on_while(blobs::put(&connection, &name, bytes.clone())).await {
                Ok(blob) => {
                    fault::point("after-blob");
                    return Ok(Payload::Blob(blob));
                }
                Err(error) => {
                    limited!(error, job.key = %self.delivery.key, %error, "could not store a result");
                    waiting.get_or_insert_with(|| self.host.room.wait());
                }
            }
            self.keep_outcome().await.ok_or(Unstored::Gone)?;
            if self.record.revoke.is_some() {
                return Err(Unstored::Revoked);
            }
        }
    }

    /// What a server takes that takes no record of this size: the result as a blob, or a failure that says so.
    async fn smaller(&mut self, event: Event, outcome: &Outcome) -> Option<Event> {
        if let Event::Finish { end: End::Success(Payload::Inline(result)), .. } = event {
            return match self.store(&result).await {
                Ok(payload) => Some(finish(End::Success(payload), outcome, Vec::new())),
                Err(Unstored::Revoked) => Some(revoked(outcome)),
                Err(Unstored::Gone) => None,
            };
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
        match self.look(Instant::now() + ANSWER_TIMEOUT).await {
            Ok(true) => drop(self.hold_message().await),
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

fn finish(end: End, outcome: &Outcome, denied: Vec<String>) -> Event {
    Event::Finish { end, usage: Some(outcome.usage), denied }
}

fn revoked(outcome: &Outcome) -> Event {
    Event::Revoked { reason: String::new(), usage: Some(outcome.usage) }
}

/// R10: what is dropped from a record that is too large, in this order. False: nothing is left to drop.
fn shrink(record: &mut Record) -> bool {
    if let Stage::Ended { end: End::Failure(error), .. } = &mut record.stage
        && (error.backtrace.take().is_some() || error.details.take().is_some())
    {
        return true;
    }
    record.meta.take().is_some()
}
