//! One attempt on its way to its record: the decision becomes a transition, and the transition a record that is written.

use wasmhost_nats::{fault, now};
use wasmhost_protocol::machine::Transition;
use wasmhost_protocol::outcome::Outcome;
use wasmhost_protocol::record::{End, ErrorKind, JobError, Payload, Record};
use wasmhost_protocol::rules::Decision;
use wasmhost_protocol::timestamp::Timestamp;

use super::result_blob::ResultBlob;
use crate::attempt::Attempt;
use crate::backpressure::BlockedWrites;
use crate::blobs::delete_all;
use crate::dead_letter;
use crate::lease::Lease;
use crate::life_cycle::LifeCycle;
use crate::settle::Settlement;

/// One attempt on its way to its record.
pub(super) struct Completion<'a> {
    pub(super) life: &'a LifeCycle,
    pub(super) blocked_writes: &'a BlockedWrites,
    pub(super) attempt: &'a mut Attempt,
    pub(super) outcome: &'a Outcome,
    pub(super) decided_at: Timestamp,
    /// Whether the dead letters have a copy; none where that was not tried yet.
    pub(super) has_dead_letter: Option<bool>,
    /// The result, where it is stored as a blob.
    pub(super) blob: Option<ResultBlob>,
}

/// What came of the write of a record.
pub(super) enum WriteResult {
    /// The record is stored, and the lease knows its revision.
    Recorded,
    /// Somebody else wrote meanwhile under this claim: the transition is applied to the newer record.
    Superseded,
    /// The server takes no record of this size, and nothing is left that could be dropped from it.
    TooLarge,
}

impl Completion<'_> {
    /// Records what was decided. Returns how the delivery is settled; none where nothing may be sent for it.
    pub(super) async fn run(mut self, decision: Decision) -> Option<Settlement> {
        let (mut transition, settlement) = self.choose_transition(decision).await?;
        loop {
            // From the moment at which a revoke is recorded, REVOKED is the only end that is left, whatever the guest returned.
            if self.lease().is_revoked() && !matches!(transition, Transition::Revoked { .. }) {
                transition = self.revoked();
            }
            let mut record = self.next_record(&transition)?;
            self.dead_letter_failure(&mut record).await;
            // A host that dies here may leave a blob and a copy that no record names: the outcome is made again.
            fault::point("before-record");
            match self.write(record).await? {
                WriteResult::Recorded if self.lease().record().is_terminal() => {
                    // The blobs go before the message: a host that dies in between is followed by another delivery.
                    self.delete_blobs().await;
                    return Some(Settlement::Ack);
                }
                WriteResult::Recorded => return Some(settlement),
                WriteResult::Superseded => {}
                WriteResult::TooLarge => transition = Box::pin(self.shrink_transition(transition)).await?,
            }
        }
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.attempt.lease
    }

    /// Returns the transition that is to be recorded, and how the delivery is settled after that.
    async fn choose_transition(&mut self, decision: Decision) -> Option<(Transition, Settlement)> {
        let usage = Some(self.outcome.usage);
        Some(match decision {
            Decision::Succeed(result) => (self.success(result).await?, Settlement::Ack),
            Decision::Fail(error) => (self.failed(error, self.outcome.denied.clone()), Settlement::Ack),
            Decision::Retry { reason, delay, charge } => {
                // The delay is in the record as well: JetStream forgets that of a nak when it is killed.
                let not_before = self.decided_at.plus(delay);
                (Transition::Retry { reason, not_before, charge, usage }, Settlement::Nak(delay))
            }
            Decision::Revoke => (self.revoked(), Settlement::Ack),
        })
    }

    fn failed(&self, error: JobError, denied: Vec<String>) -> Transition {
        Transition::Finish { end: End::Failure(error), usage: Some(self.outcome.usage), denied }
    }

    pub(super) fn succeeded(&self, payload: Payload) -> Transition {
        Transition::Finish { end: End::Success(payload), usage: Some(self.outcome.usage), denied: Vec::new() }
    }

    pub(super) fn revoked(&self) -> Transition {
        Transition::Revoked { reason: String::new(), usage: Some(self.outcome.usage) }
    }

    /// Returns the record that follows from a transition; none where the state machine refuses it.
    fn next_record(&self, transition: &Transition) -> Option<Record> {
        // The delay of a retry counts from the time that its record shows.
        let at = if matches!(transition, Transition::Retry { .. }) { self.decided_at } else { now() };
        match self.lease().next_record(transition.clone(), at) {
            Ok(record) => Some(record),
            Err(why) => {
                let key = &self.lease().delivery().key;
                tracing::error!(job.key = %key, %why, "the record does not permit the outcome of its attempt");
                None
            }
        }
    }

    /// Copies the job to the dead letters if `record` ends it in FAILURE, once for all tries to write the record. Where no copy
    /// can be stored, the record says so.
    async fn dead_letter_failure(&mut self, record: &mut Record) {
        if record.failure().is_none() {
            return;
        }
        let has_dead_letter = match self.has_dead_letter {
            Some(has_dead_letter) => has_dead_letter,
            None => {
                let connection = self.lease().connection().clone();
                let message = self.lease().message().clone();
                let publishing = Box::pin(dead_letter::dead_letter_failure(&connection, &message, record));
                self.attempt.lease.keep_alive_while(publishing).await
            }
        };
        self.has_dead_letter = Some(has_dead_letter);
        if !has_dead_letter {
            record.note_missing_dead_letter();
        }
    }

    /// Returns a transition whose record is smaller, after the server refused one as too large: the result becomes a blob, and
    /// everything else a failure that says so. None where even that was refused.
    async fn shrink_transition(&mut self, transition: Transition) -> Option<Transition> {
        if let Transition::Finish { end: End::Success(Payload::Inline(result)), .. } = transition {
            return self.success_in_blob(&result).await;
        }
        let error = JobError::new(ErrorKind::LimitExceeded, "its record is larger than the server takes");
        let smallest = self.failed(error, Vec::new());
        if transition == smallest || self.lease().is_revoked() {
            let key = &self.lease().delivery().key;
            tracing::error!(job.key = %key, "the server takes not even the smallest record");
            return None;
        }
        Some(smallest)
    }

    /// Deletes what the job has in the blob store, except for the result that its record names.
    async fn delete_blobs(&mut self) {
        let Attempt { checkpoints, lease, .. } = &mut *self.attempt;
        let mut names = checkpoints.release(lease, self.life);
        names.extend(self.unnamed_blob());
        if !names.is_empty() {
            Box::pin(delete_all(self.lease().connection(), names)).await;
        }
    }
}
