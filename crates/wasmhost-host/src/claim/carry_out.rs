//! Carrying out what the protocol decided about a delivery.

use wasmhost_nats::{Connection, WriteError, Written, fault, jobs, limited};
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{Record, StoredEntry, Token};
use wasmhost_protocol::rules::ClaimDecision;

use super::claimed::{Claimed, Grant, Step};
use super::claiming::Claiming;
use crate::blobs::drop_checkpoint;
use crate::dead_letter;
use crate::settle::Settlement;

impl Claiming<'_> {
    pub(super) async fn carry_out(
        &mut self,
        decision: ClaimDecision,
        stored: StoredEntry,
        policy: Policy,
    ) -> Step {
        match decision {
            ClaimDecision::Ack => {
                drop_checkpoint(self.connection(), stored.record()).await;
                settle(Settlement::Ack)
            }
            ClaimDecision::Delay(delay) => settle(Settlement::Nak(delay)),
            ClaimDecision::DeadLetter { reason, why } => self.dead_letter(reason, &why).await,
            ClaimDecision::LookUpMessage { msg_seq } => self.look_message_up(msg_seq).await,
            // Whatever a newer delivery may do: the attempt's owner is here, and alive.
            ClaimDecision::Claim { .. } | ClaimDecision::End { .. } | ClaimDecision::Stale { .. }
                if self.claims.parts.leases.runs(&self.delivery.key, token_of(&stored)) =>
            {
                Step::Done(Claimed::RunsHere)
            }
            ClaimDecision::Stale { revision } if self.claims.stale_deliveries.walk_away(revision) => {
                settle(Settlement::Silent)
            }
            ClaimDecision::Stale { .. } => Step::DecideAgain { stored, adopt: true },
            ClaimDecision::Claim { .. } if !self.memory.resize(policy.limits.memory_bytes) => {
                self.wait_for_memory(policy.limits.memory_bytes).await
            }
            ClaimDecision::Claim { record, expected } => {
                let record = if self.adopt { fault::without_new_fence(record, &stored) } else { record };
                self.write_claim(record, expected, policy).await
            }
            ClaimDecision::End { record, expected } => self.write_end(*record, expected, &policy).await,
        }
    }

    fn connection(&self) -> &Connection {
        &self.claims.parts.storage.connection
    }

    async fn dead_letter(&self, reason: &str, why: &str) -> Step {
        settle(dead_letter::dead_letter_message(self.connection(), self.delivery, reason, why).await)
    }

    /// What was decided may no longer hold by the time that there is memory: it is decided again.
    async fn wait_for_memory(&mut self, limit_bytes: u64) -> Step {
        limited!(info, job.key = %self.delivery.key, "all memory for jobs is in use; the job waits");
        tokio::select! {
            () = self.memory.wait_for(limit_bytes) => {}
            () = self.claims.parts.life.closing.cancelled() => return Step::Done(Claimed::give_back()),
        }
        Step::DecideAgain { stored: self.read().await, adopt: false }
    }

    /// Another message holds the record. Where it still exists, this one is a duplicate and is dropped; else this one takes
    /// its place, unless the record has moved on to a third one meanwhile.
    async fn look_message_up(&self, msg_seq: u64) -> Step {
        match jobs::stands_at(self.connection(), &self.delivery.key, msg_seq).await {
            Ok(true) => return settle(Settlement::Ack),
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

    /// Writes the claim. A job in quarantine waits for its permit: the delivery is given back, so that those that wait hold no slot.
    async fn write_claim(&self, record: Box<Record>, expected: u64, policy: Policy) -> Step {
        let quarantine = match self.claims.quarantine.admit(&record, policy.retry.max_lost) {
            Ok(permit) => permit,
            Err(wait) => return settle(Settlement::Nak(wait)),
        };
        fault::point("before-claim");
        let written =
            self.claims.parts.storage.records.write(&self.delivery.key, &record, expected, None).await;
        fault::point("claim-sent");
        let (record, revision) = match written {
            Ok(Written::Landed(revision)) => (record, revision),
            // The claim was stored, and somebody wrote over it since, such as a revoke.
            Ok(Written::Moved(StoredEntry::Record { record, revision }))
                if record.token == Some(self.token) && !record.is_terminal() =>
            {
                (record, revision)
            }
            Ok(Written::Moved(stored)) => return Step::DecideAgain { stored, adopt: false },
            Err(error) => return self.refused(&error).await,
        };
        Step::Done(Claimed::Granted(Box::new(Grant { record: *record, revision, policy, quarantine })))
    }

    /// Ends the job without another attempt. A failure has its copy in the dead letters before it is recorded.
    async fn write_end(&mut self, mut record: Record, expected: u64, policy: &Policy) -> Step {
        if !self.dead_lettered {
            let message = &self.delivery.message;
            self.dead_lettered = dead_letter::dead_letter_failure(self.connection(), message, &record).await;
        }
        if !self.dead_lettered {
            record.note_missing_dead_letter();
        }
        fault::point("before-end");
        let ttl = policy.terminal_ttl(&record, self.delivery.options.result_ttl);
        let records = &self.claims.parts.storage.records;
        match records.write(&self.delivery.key, &record, expected, Some(ttl)).await {
            Ok(Written::Landed(_)) => {
                drop_checkpoint(self.connection(), Some(&record)).await;
                settle(Settlement::Ack)
            }
            Ok(Written::Moved(stored)) => Step::DecideAgain { stored, adopt: false },
            Err(error) => self.refused(&error).await,
        }
    }

    /// A record that is too large will always be: its message goes to the dead letters. For all else there is room again
    /// some day.
    async fn refused(&self, error: &WriteError) -> Step {
        if matches!(error, WriteError::TooLarge(_)) {
            return self.dead_letter("RecordTooLarge", &error.to_string()).await;
        }
        limited!(error, job.key = %self.delivery.key, %error, "could not write a record; the job waits");
        Step::Wait
    }
}

fn settle(how: Settlement) -> Step {
    Step::Done(Claimed::Settle(how))
}

fn token_of(stored: &StoredEntry) -> Option<Token> {
    stored.record().and_then(|record| record.token)
}
