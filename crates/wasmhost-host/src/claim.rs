//! Claiming a job for an attempt: what the protocol decides about a delivery is carried out here, and decided anew whenever
//! something else turns out to stand under the job's key. Nothing of the message is trusted or run before the claim is written.

mod module_lookups;
mod module_version;
mod quarantine;
mod stale_deliveries;

use std::time::Duration;

use tokio::time::Instant;
use wasmhost_nats::{
    Connection, WriteError, Written, fault, is_args_digest_of, jobs, limited, now, random_token, random_write,
};
use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::machine::Claim;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::policy::{Ceiling, Policy};
use wasmhost_protocol::record::{Record, StoredEntry, Token};
use wasmhost_protocol::rules::{ClaimDecision, ClaimInput, decide_claim};

use crate::backpressure::{BlockedWrite, BlockedWrites};
use crate::blobs::drop_checkpoint;
use crate::dead_letter;
use crate::delivery::Delivery;
use crate::life_cycle::LifeCycle;
use crate::memory::Reserved;
use crate::running_leases::RunningLeases;
use crate::settle::Settle;
use crate::storage::Storage;
use module_version::{ModuleVersions, over_ceiling, over_policy};
use quarantine::Quarantine;
use stale_deliveries::StaleDeliveryCounter;

pub(crate) use quarantine::QuarantinePermit;

/// A pause before another try when the server gives no answer, no room or no right.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What came of a claim.
pub(crate) enum Claimed {
    /// The attempt is this host's.
    Granted(Box<Grant>),
    /// It is not: settle the delivery so.
    Settle(Settle),
    /// This host runs this very attempt already: the delivery belongs to its lease.
    RunsHere,
}

/// A claim that is recorded.
pub(crate) struct Grant {
    pub(crate) record: Record,
    pub(crate) revision: u64,
    /// The policy of the module's version that the job runs.
    pub(crate) policy: Policy,
    /// Of a job in quarantine: the next one may begin when it is dropped.
    pub(crate) quarantine: Option<QuarantinePermit>,
}

/// What follows from carrying a decision out.
enum Step {
    Done(Claimed),
    /// Decide again, with what is stored now. `adopt`: the record is taken over although its delivery does not look older.
    DecideAgain {
        stored: StoredEntry,
        adopt: bool,
    },
    /// The server has no room for the record, or no right for its writer: hold the delivery, then decide again.
    Wait,
}

/// What all claims of a host share.
pub(crate) struct Claims {
    parts: ClaimParts,
    settings: ClaimSettings,
    modules: ModuleVersions,
    stale_deliveries: StaleDeliveryCounter,
    quarantine: Quarantine,
}

/// The parts of the host that a claim needs.
pub(crate) struct ClaimParts {
    pub(crate) host: HostId,
    pub(crate) storage: Storage,
    pub(crate) life: LifeCycle,
    pub(crate) leases: RunningLeases,
    pub(crate) blocked_writes: BlockedWrites,
}

/// What an operator says of claims.
pub(crate) struct ClaimSettings {
    pub(crate) ack_wait: Duration,
    /// Whether a first delivery's `Wasmhost-Revision` is believed without a read.
    pub(crate) trust_submitters: bool,
    pub(crate) ceiling: Ceiling,
}

impl Claims {
    pub(crate) fn new(parts: ClaimParts, settings: ClaimSettings) -> Self {
        Self {
            modules: ModuleVersions::new(&parts.storage),
            parts,
            settings,
            stale_deliveries: StaleDeliveryCounter::default(),
            quarantine: Quarantine::new(),
        }
    }

    /// Claims the job of `delivery`, or ends it, or finds that it is not this delivery's to run. `memory` is what the attempt
    /// gets, at first what is usual. The second value is the time from which the delivery is known to be held.
    pub(crate) async fn claim(&self, delivery: &Delivery, memory: &mut Reserved) -> (Claimed, Instant) {
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
struct Claiming<'a> {
    claims: &'a Claims,
    delivery: &'a Delivery,
    /// The version of the module that a first claim takes.
    module: Option<ModuleEntry>,
    token: Token,
    /// Whether the record is taken over: its own message is gone, or its delivery was found stale too often.
    adopt: bool,
    /// Whether the dead letters have a copy of the failure already.
    dead_lettered: bool,
    /// Set while the server takes no record.
    blocked: Option<BlockedWrite>,
    memory: &'a mut Reserved,
}

impl Claiming<'_> {
    async fn run(mut self) -> Claimed {
        if !self.find_module().await {
            return give_back();
        }
        let (mut stored, mut trusted_revision) = self.first_stored_entry().await;
        loop {
            // A message that names a record which is not there: the job ended long ago, or its record was lost with the bucket.
            let missing = matches!(stored, StoredEntry::Absent) && trusted_revision.is_none();
            let names_record = self.delivery.options.revision.is_some();
            if missing && names_record && !self.claims.parts.storage.bucket.refresh().await {
                return give_back();
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
                        return give_back();
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

    async fn read(&self) -> StoredEntry {
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

    async fn carry_out(&mut self, decision: ClaimDecision, stored: StoredEntry, policy: Policy) -> Step {
        match decision {
            ClaimDecision::Ack => {
                drop_checkpoint(self.connection(), stored.record()).await;
                settle(Settle::Ack)
            }
            ClaimDecision::Delay(delay) => settle(Settle::Nak(delay)),
            ClaimDecision::DeadLetter { reason, why } => self.dead_letter(reason, &why).await,
            ClaimDecision::LookUpMessage { msg_seq } => self.look_message_up(msg_seq).await,
            // Whatever a newer delivery may do: the attempt's owner is here, and alive.
            ClaimDecision::Claim { .. } | ClaimDecision::End { .. } | ClaimDecision::Stale { .. }
                if self.claims.parts.leases.runs(&self.delivery.key, token_of(&stored)) =>
            {
                Step::Done(Claimed::RunsHere)
            }
            ClaimDecision::Stale { revision } if self.claims.stale_deliveries.walk_away(revision) => {
                settle(Settle::Silent)
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
            () = self.claims.parts.life.closing.cancelled() => return Step::Done(give_back()),
        }
        Step::DecideAgain { stored: self.read().await, adopt: false }
    }

    /// Another message holds the record. Where it still exists, this one is a duplicate and is dropped; else this one takes
    /// its place, unless the record has moved on to a third one meanwhile.
    async fn look_message_up(&self, msg_seq: u64) -> Step {
        match jobs::stands_at(self.connection(), &self.delivery.key, msg_seq).await {
            Ok(true) => return settle(Settle::Ack),
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
            Err(wait) => return settle(Settle::Nak(wait)),
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
                settle(Settle::Ack)
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

    /// Holds the delivery for a moment: given back, it would count as one that no host survived. False: the host closes.
    async fn wait(&mut self) -> bool {
        self.blocked.get_or_insert_with(|| self.claims.parts.blocked_writes.register());
        tokio::select! {
            () = tokio::time::sleep(RETRY_DELAY) => true,
            () = self.claims.parts.life.closing.cancelled() => false,
        }
    }
}

fn settle(how: Settle) -> Step {
    Step::Done(Claimed::Settle(how))
}

/// For another host: this one closes.
fn give_back() -> Claimed {
    Claimed::Settle(Settle::Nak(Duration::ZERO))
}

fn token_of(stored: &StoredEntry) -> Option<Token> {
    stored.record().and_then(|record| record.token)
}
