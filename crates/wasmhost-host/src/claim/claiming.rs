//! One delivery on its way to a claim: what is stored is read, the protocol decides, and the decision is carried out, until the
//! delivery has its claim or is settled without one.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmhost_nats::registry::RunnableVersion;
use wasmhost_nats::{limited, now, random_token, random_write_id};
use wasmhost_protocol::arguments::is_args_digest;
use wasmhost_protocol::machine::Claim;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{StoredEntry, Token};
use wasmhost_protocol::rules::{ClaimDecision, ClaimInput, decide_claim};

use super::claimed::{Claimed, Grant, Step};
use super::claims::Claims;
use super::module_version::{over_ceiling, over_policy};
use crate::backpressure::BlockedWrite;
use crate::delivery::Delivery;
use crate::memory::Reservation;
use crate::settle::Settlement;

/// The pause before another try, where the server does not answer, has no room or does not permit a write. It is as long for each
/// of hundreds of slots, which together must not keep the server from recovering.
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Claims {
    /// Claims the job of `delivery`, or ends the job, or finds that it is not this delivery's to run. `memory` is the memory of
    /// the slot, which grows to what the module's policy needs. The second value is the time from which the delivery is known
    /// to be held.
    pub(crate) async fn claim(&self, delivery: &Delivery, memory: &mut Reservation) -> (Claimed, Instant) {
        let claiming = Claiming {
            claims: self,
            delivery,
            module: None,
            token: random_token(),
            adopt: false,
            has_dead_letter: false,
            blocked: None,
            memory,
        };
        let claiming = pin!(claiming.run());
        delivery.keep_alive(&self.parts.storage.connection, self.settings.ack_wait, claiming).await
    }
}

/// One delivery on its way to a claim.
pub(super) struct Claiming<'a> {
    pub(super) claims: &'a Claims,
    pub(super) delivery: &'a Delivery,
    /// The version of the module that a first claim takes; none where the module is unknown.
    module: Option<RunnableVersion>,
    pub(super) token: Token,
    /// Whether the claim takes the record over although its own delivery does not look newer: the record's message is gone, or
    /// the delivery was found stale too often.
    pub(super) adopt: bool,
    /// Whether the dead letters have a copy already of the failure that the job ends with.
    pub(super) has_dead_letter: bool,
    /// Set while the server does not take the record.
    blocked: Option<BlockedWrite>,
    pub(super) memory: &'a mut Reservation,
}

impl Claiming<'_> {
    async fn run(mut self) -> Claimed {
        if !self.find_module().await {
            return Claimed::Settle(Settlement::GIVE_BACK);
        }
        let (mut stored, mut trusted_revision) = self.first_stored_entry().await;
        loop {
            if !self.refresh_bucket(&stored, trusted_revision).await {
                return Claimed::Settle(Settlement::GIVE_BACK);
            }
            let (decision, policy) = self.decide(&stored, trusted_revision.take());
            match self.carry_out(decision, stored, policy).await {
                Step::Done(claimed) => return claimed,
                Step::DecideAgain { stored: found, adopt } => {
                    stored = found;
                    self.adopt = adopt;
                    // Another decision is another claim, with a token of its own.
                    self.token = random_token();
                }
                Step::Wait => {
                    if !self.wait().await {
                        return Claimed::Settle(Settlement::GIVE_BACK);
                    }
                    stored = Box::pin(self.read()).await;
                    // What was looked up about another message may have changed meanwhile: it is looked up anew.
                    self.adopt = false;
                    // The token stays: a write that was sent before may still have been stored, and is recognised by it.
                    if let Some(grant) = self.claim_found_in(&stored) {
                        return Claimed::Granted(grant);
                    }
                }
            }
        }
    }

    /// Looks the module up until the registry answers: a registry that does not answer makes no module unknown. Returns false if
    /// the host drains first.
    async fn find_module(&mut self) -> bool {
        loop {
            match self.claims.modules.find(self.delivery).await {
                Ok(found) => {
                    self.module = found;
                    return true;
                }
                Err(error) => {
                    limited!(warn, job.key = %self.delivery.key, %error, "cannot look a module up; the job waits");
                    if !self.wait().await {
                        return false;
                    }
                }
            }
        }
    }

    /// Returns what is stored under the key. Where the message is trusted, nothing is read: the second value is the revision of
    /// its PENDING record, and the write of the claim tells whether that is true.
    async fn first_stored_entry(&self) -> (StoredEntry, Option<u64>) {
        // A message that was delivered before may have been claimed since: its record is read.
        if self.claims.settings.trust_submitters && self.delivery.ordinal.count == 1 {
            return (StoredEntry::Absent, self.delivery.options.revision);
        }
        (Box::pin(self.read()).await, None)
    }

    /// Asks when the states bucket was created, where the message names a record that is not there: either the job ended long
    /// ago, or its record was lost with the bucket. Returns false if the host drains before there is an answer.
    async fn refresh_bucket(&self, stored: &StoredEntry, trusted_revision: Option<u64>) -> bool {
        let is_missing = matches!(stored, StoredEntry::Absent) && trusted_revision.is_none();
        let names_record = self.delivery.options.revision.is_some();
        !(is_missing && names_record) || Box::pin(self.claims.parts.storage.bucket.refresh()).await
    }

    pub(super) async fn read(&self) -> StoredEntry {
        self.claims.parts.storage.records.read_until_known(&self.delivery.key).await
    }

    /// Returns this delivery's own claim, where it was stored after all.
    fn claim_found_in(&self, stored: &StoredEntry) -> Option<Box<Grant>> {
        let record = stored.record()?;
        if record.token != Some(self.token) || record.is_terminal() {
            return None;
        }
        let policy = self.policy(stored);
        Some(Box::new(Grant {
            record: record.clone(),
            revision: stored.expected(),
            policy,
            // The permit of a suspect was given back when its write seemed to fail.
            quarantine: None,
        }))
    }

    /// Returns the policy of the version that the record names; without a record, of the version that a first claim takes.
    fn policy(&self, stored: &StoredEntry) -> Arc<Policy> {
        let recorded = stored.record().and_then(|record| self.claims.modules.policy_of(record));
        let current = || self.module.as_ref().map(|module| module.policy.clone());
        recorded.or_else(current).unwrap_or_default()
    }

    /// Returns what the protocol decides, and the policy that it decides by.
    fn decide(&self, stored: &StoredEntry, trusted_revision: Option<u64>) -> (ClaimDecision, Arc<Policy>) {
        let policy = self.policy(stored);
        let refusal = self.refusal(stored, &policy);
        let decision = decide_claim(&ClaimInput {
            stored,
            trusted_revision,
            claim: &self.claim(&policy),
            revision: self.delivery.options.revision,
            stored_at: self.delivery.stored_at,
            is_of_body: &|digest| is_args_digest(digest, self.delivery.body()),
            now: now(),
            bucket_created: self.claims.parts.storage.bucket.created(),
            write: random_write_id(),
            result_ttl: policy.result_ttl(self.delivery.options.result_ttl),
            // Unreadable headers and values over a limit end the job in the same way, so that it has an end at all.
            unreadable: self.delivery.bad_headers.as_deref().or(refusal.as_deref()),
        });
        (decision, policy)
    }

    /// Returns why the job is refused for what it or its module asks for. The job is compared with the policy at its first claim,
    /// and with the host's ceiling at every claim.
    fn refusal(&self, stored: &StoredEntry, policy: &Policy) -> Option<String> {
        let is_first = stored.record().is_none_or(|record| record.attempt == 0);
        over_policy(self.delivery, policy)
            .filter(|_| is_first)
            .or_else(|| over_ceiling(&self.claims.settings.ceiling, self.delivery, policy))
    }

    fn claim(&self, policy: &Policy) -> Claim {
        Claim {
            job: self.delivery.spec(),
            host: self.claims.parts.host.clone(),
            token: self.token,
            msg_seq: self.delivery.msg_seq,
            delivery: self.delivery.ordinal,
            digest: self.module.as_ref().map(|module| module.digest),
            max_attempts: policy.retry.max_attempts,
            max_lost: policy.retry.max_lost,
            track_started: policy.track_started,
            adopt: self.adopt,
        }
    }

    /// Holds the delivery for a moment, until the next try. Given back, it would count towards poison. Returns false if the host
    /// closes first.
    async fn wait(&mut self) -> bool {
        self.blocked.get_or_insert_with(|| self.claims.parts.blocked_writes.register());
        tokio::select! {
            () = tokio::time::sleep(RETRY_DELAY) => true,
            () = self.claims.parts.life.draining.cancelled() => false,
        }
    }
}
