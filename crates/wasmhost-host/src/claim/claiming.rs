//! One delivery on its way to a claim: what is stored is read, the protocol decides, and what it decided is carried out, until
//! the delivery has its claim or is settled without one.

use std::time::Duration;

use tokio::time::Instant;
use wasmhost_nats::{is_args_digest_of, limited, now, random_token, random_write};
use wasmhost_protocol::machine::Claim;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{StoredEntry, Token};
use wasmhost_protocol::rules::{ClaimDecision, ClaimInput, decide_claim};

use super::claimed::{Claimed, Grant, Step};
use super::claims::Claims;
use super::module_version::{over_ceiling, over_policy};
use crate::backpressure::BlockedWrite;
use crate::delivery::Delivery;
use crate::memory::Reservation;

/// A pause before another try when the server gives no answer, no room or no right.
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Claims {
    /// Claims the job of `delivery`, or ends it, or finds that it is not this delivery's to run. `memory` is what the attempt
    /// gets, at first what is usual. The second value is the time from which the delivery is known to be held.
    pub(crate) async fn claim(&self, delivery: &Delivery, memory: &mut Reservation) -> (Claimed, Instant) {
        let claiming = Claiming {
            claims: self,
            delivery,
            module: None,
            token: random_token(),
            adopt: false,
            dead_lettered: false,
            blocked: None,
            memory,
        };
        delivery.keep_alive(&self.parts.storage.connection, self.settings.ack_wait, claiming.run()).await
    }
}

/// One delivery on its way to a claim.
pub(super) struct Claiming<'a> {
    pub(super) claims: &'a Claims,
    pub(super) delivery: &'a Delivery,
    /// The version of the module that a first claim takes.
    pub(super) module: Option<ModuleEntry>,
    pub(super) token: Token,
    /// Whether the record is taken over: its own message is gone, or its delivery was found stale too often.
    pub(super) adopt: bool,
    /// Whether the dead letters have a copy of the failure already.
    pub(super) dead_lettered: bool,
    /// Set while the server takes no record.
    pub(super) blocked: Option<BlockedWrite>,
    pub(super) memory: &'a mut Reservation,
}

impl Claiming<'_> {
    async fn run(mut self) -> Claimed {
        if !self.find_module().await {
            return Claimed::give_back();
        }
        let (mut stored, mut trusted_revision) = self.first_stored_entry().await;
        loop {
            // A message that names a record which is not there: the job ended long ago, or its record was lost with the bucket.
            let missing = matches!(stored, StoredEntry::Absent) && trusted_revision.is_none();
            let names_record = self.delivery.options.revision.is_some();
            if missing && names_record && !self.claims.parts.storage.bucket.refresh().await {
                return Claimed::give_back();
            }
            let (decision, policy) = self.decide(&stored, trusted_revision.take());
            match self.carry_out(decision, stored, policy).await {
                Step::Done(claimed) => return claimed,
                Step::DecideAgain { stored: found, adopt } => {
                    stored = found;
                    self.adopt = adopt;
                    self.token = random_token();
                }
                Step::Wait => {
                    if !self.wait().await {
                        return Claimed::give_back();
                    }
                    stored = self.read().await;
                    // The token stays, for what was sent before may still be stored: then the claim is this one's.
                    self.adopt = false;
                    if let Some(grant) = self.claim_found_in(&stored) {
                        return Claimed::Granted(grant);
                    }
                }
            }
        }
    }

    /// What is stored under the key, or, where the message is believed, the revision of its PENDING record. On the common path
    /// nothing is read: the write tells whether what the message says is true.
    async fn first_stored_entry(&self) -> (StoredEntry, Option<u64>) {
        if self.claims.settings.trust_submitters && self.delivery.ordinal.count == 1 {
            return (StoredEntry::Absent, self.delivery.options.revision);
        }
        (self.read().await, None)
    }

    pub(super) async fn read(&self) -> StoredEntry {
        self.claims.parts.storage.records.read_until_known(&self.delivery.key).await
    }

    /// This delivery's own claim, where it was stored after all.
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
            quarantine: None,
        }))
    }

    /// The policy of the version that the record names; without a record, of the version that a first claim takes.
    fn policy(&self, stored: &StoredEntry) -> Policy {
        let recorded = stored.record().and_then(|record| self.claims.modules.policy_of(record));
        let current = || self.module.as_ref().map(|module| module.policy.clone());
        recorded.or_else(current).unwrap_or_default()
    }

    /// Looks the module up until the registry answers: one that does not answer makes no module unknown. False: the host closes.
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

    /// The decision, and the policy that it was made by.
    fn decide(&self, stored: &StoredEntry, trusted_revision: Option<u64>) -> (ClaimDecision, Policy) {
        let Claims { settings, parts, .. } = self.claims;
        let policy = self.policy(stored);
        let is_first = stored.record().is_none_or(|record| record.attempt == 0);
        let over = over_policy(self.delivery, &policy).filter(|_| is_first);
        let over = over.or_else(|| over_ceiling(&settings.ceiling, self.delivery, &policy));
        let decision = decide_claim(&ClaimInput {
            stored,
            trusted_revision,
            claim: &self.claim(&policy),
            revision: self.delivery.options.revision,
            stored_at: self.delivery.stored_at,
            is_of_body: &|digest| is_args_digest_of(digest, self.delivery.body()),
            now: now(),
            bucket_created: parts.storage.bucket.created(),
            write: random_write(),
            result_ttl: policy.result_ttl(self.delivery.options.result_ttl),
            unreadable: self.delivery.bad_headers.as_deref().or(over.as_deref()),
        });
        (decision, policy)
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

    /// Holds the delivery for a moment: given back, it would count as one that no host survived. False: the host closes.
    async fn wait(&mut self) -> bool {
        self.blocked.get_or_insert_with(|| self.claims.parts.blocked_writes.register());
        tokio::select! {
            () = tokio::time::sleep(RETRY_DELAY) => true,
            () = self.claims.parts.life.closing.cancelled() => false,
        }
    }
}
