//! Carrying out what the protocol decided about a delivery.

use std::sync::Arc;

use wasmhost_nats::{Connection, WriteError, Written, fault, jobs, limited};
use wasmhost_protocol::dead_letter::DeadLetterKind;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{Record, StoredEntry, Token};
use wasmhost_protocol::rules::ClaimDecision;

use super::claimed::{Claimed, Grant, Step};
use super::claiming::Claiming;
use crate::blobs::drop_checkpoint;
use crate::dead_letter;
use crate::settle::Settlement;

impl Claiming<'_> {
    /// Carries a decision out that was made about `stored` by `policy`.
    pub(super) async fn carry_out(
        &mut self,
        decision: ClaimDecision,
        stored: StoredEntry,
        policy: Arc<Policy>,
    ) -> Step {
        // What is rare is boxed: each job's future has room for all that it awaits.
        match decision {
            ClaimDecision::Ack => {
                // Whoever ended the job may have died before anybody was told, and before the checkpoint was deleted.
                Box::pin(self.tell_end(&stored)).await;
                Box::pin(drop_checkpoint(self.connection(), stored.record())).await;
                Step::settle(Settlement::Ack)
            }
            ClaimDecision::Delay(delay) => Step::settle(Settlement::Nak(delay)),
            ClaimDecision::DeadLetter { kind, reason } => Box::pin(self.dead_letter(kind, &reason)).await,
            ClaimDecision::LookUpMessage { msg_seq } => Box::pin(self.look_up_message(msg_seq)).await,
            // Whatever a newer delivery may do: the owner of the attempt is this host, and it is alive.
            ClaimDecision::Claim { .. } | ClaimDecision::End { .. } | ClaimDecision::Stale { .. }
                if self.claims.parts.leases.runs(&self.delivery.key, token_of(&stored)) =>
            {
                Step::Done(Claimed::RunsHere)
            }
            ClaimDecision::Stale { revision } if self.claims.stale_deliveries.walk_away(revision) => {
                Step::settle(Settlement::Silent)
            }
            // Counts repeat, and start again with a new consumer: walking away for ever would leave the job without a host.
            ClaimDecision::Stale { .. } => Step::DecideAgain { stored, adopt: true },
            // The slot has memory for the default limit only: which module the delivery needs was not known before.
            ClaimDecision::Claim { .. } if !self.memory.resize(policy.limits.memory_bytes) => {
                Box::pin(self.wait_for_memory(policy.limits.memory_bytes)).await
            }
            ClaimDecision::Claim { record, expected } => {
                let record = if self.adopt { fault::without_new_fence(record, &stored) } else { record };
                self.write_claim(record, expected, policy).await
            }
            ClaimDecision::End { record, expected } => {
                Box::pin(self.write_end(*record, expected, &policy)).await
            }
        }
    }

    async fn tell_end(&self, stored: &StoredEntry) {
        if let Some(record) = stored.record() {
            self.claims.parts.storage.records.tell_end(record).await;
        }
    }

    fn connection(&self) -> &Connection {
        &self.claims.parts.storage.connection
    }

    async fn dead_letter(&self, kind: DeadLetterKind, reason: &str) -> Step {
        let connection = self.connection();
        Step::settle(dead_letter::dead_letter_message(connection, self.delivery, kind, reason).await)
    }

    /// Waits for the memory that the policy asks for. By the time that there is some, the decision may no longer hold: it is
    /// made again.
    async fn wait_for_memory(&mut self, limit_bytes: u64) -> Step {
        limited!(info, job.key = %self.delivery.key, "all memory for jobs is in use; the job waits");
        tokio::select! {
            () = self.memory.wait_for(limit_bytes) => {}
            () = self.claims.parts.life.draining.cancelled() => return Step::settle(Settlement::GIVE_BACK),
        }
        Step::DecideAgain { stored: self.read().await, adopt: false }
    }

    /// Looks up whether the other message that holds the record is still stored. If it is, this one is a duplicate and is
    /// dropped. If it is not, this one takes its place, unless the record has moved on to a third message meanwhile
    /// ([R4](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r4)).
    async fn look_up_message(&self, msg_seq: u64) -> Step {
        match jobs::is_stored_at(self.connection(), &self.delivery.key, msg_seq).await {
            Ok(true) => return Step::settle(Settlement::Ack),
            Ok(false) => {}
            // In doubt nothing is dropped: this may be the only message that is left.
            Err(error) => {
                limited!(warn, job.key = %self.delivery.key, %error, "cannot look a message up; the job waits");
                return Step::Wait;
            }
        }
        let stored = self.read().await;
        let adopt = stored.record().is_some_and(|record| record.msg_seq == Some(msg_seq));
        Step::DecideAgain { stored, adopt }
    }

    /// Writes the claim. A suspect waits for its permit with its delivery given back: those that wait must not hold slots that
    /// healthy jobs could use.
    async fn write_claim(&self, record: Box<Record>, expected: u64, policy: Arc<Policy>) -> Step {
        let quarantine = match self.claims.quarantine.admit(record.lost, policy.retry.max_lost) {
            Ok(permit) => permit,
            Err(wait) => return Step::settle(Settlement::Nak(wait)),
        };
        // A host that dies here has written nothing: no attempt is counted.
        fault::point("before-claim");
        let records = &self.claims.parts.storage.records;
        let written = records.write(&self.delivery.key, &record, expected, None).await;
        // A host that sleeps here may wake up under another host's claim: the lease finds out before the guest starts.
        fault::point("claim-sent");
        let (record, revision) = match written {
            Ok(Written::Stored(revision)) => (record, revision),
            // The claim was stored, and somebody wrote over it since, such as a client that revokes the job.
            Ok(Written::Superseded(StoredEntry::Record { record, revision }))
                if record.token == Some(self.token) && !record.is_terminal() =>
            {
                (record, revision)
            }
            // What allowed an adoption was true of another revision.
            Ok(Written::Superseded(stored)) => return Step::DecideAgain { stored, adopt: false },
            Err(error) => return Box::pin(self.after_refused_write(&error)).await,
        };
        Step::Done(Claimed::Granted(Box::new(Grant { record: *record, revision, policy, quarantine })))
    }

    /// Ends the job without another attempt. A failure has its dead-letter copy before it is recorded: the message, and the
    /// arguments with it, is removed after the record.
    async fn write_end(&mut self, mut record: Record, expected: u64, policy: &Policy) -> Step {
        if !self.has_dead_letter {
            let message = &self.delivery.message;
            self.has_dead_letter =
                dead_letter::dead_letter_failure(self.connection(), message, &record).await;
        }
        if !self.has_dead_letter {
            record.note_missing_dead_letter();
        }
        // A host that dies here leaves a copy of a failure that may never be recorded: readers compare copies with the record.
        fault::point("before-end");
        let ttl = policy.terminal_ttl(&record, self.delivery.options.result_ttl);
        let records = &self.claims.parts.storage.records;
        match records.write(&self.delivery.key, &record, expected, Some(ttl)).await {
            Ok(Written::Stored(_)) => {
                // Before the ack: if this host dies, another delivery finds the terminal record and deletes the checkpoint.
                drop_checkpoint(self.connection(), Some(&record)).await;
                Step::settle(Settlement::Ack)
            }
            Ok(Written::Superseded(stored)) => Step::DecideAgain { stored, adopt: false },
            Err(error) => self.after_refused_write(&error).await,
        }
    }

    /// Decides what follows a write that the server refused. A record that is too large is too large at every try: its message
    /// goes to the dead letters. For everything else there will be room, or a right, again.
    async fn after_refused_write(&self, error: &WriteError) -> Step {
        if matches!(error, WriteError::TooLarge(_)) {
            return self.dead_letter(DeadLetterKind::RecordTooLarge, &error.to_string()).await;
        }
        limited!(error, job.key = %self.delivery.key, %error, "could not write a record; the job waits");
        Step::Wait
    }
}

fn token_of(stored: &StoredEntry) -> Option<Token> {
    stored.record().and_then(|record| record.token)
}
