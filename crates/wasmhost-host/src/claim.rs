//! Claiming a job for an attempt: T1 and T4, and what happens instead of them.

mod lookups;
mod module;
mod stale_deliveries;

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use wasmhost_nats::{
    WriteError, Written, fault, is_args_digest_of, jobs, limited, now, random_token, random_write,
};
use wasmhost_protocol::machine::Claim;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{Record, StoredEntry, Token};
use wasmhost_protocol::rules::{ClaimDecision, ClaimInput, decide_claim};

use crate::blobs::drop_checkpoint;
use crate::blocked_writes::BlockedWrite;
use crate::dead_letter;
use crate::delivery::Delivery;
use crate::host::Host;
use crate::lease::Lease;
use crate::memory::Reserved;
use crate::quarantine::QuarantinePermit;
use crate::running_leases::Wake;
use crate::settle::{Settle, in_progress};

pub(crate) use lookups::Lookups;
pub(crate) use stale_deliveries::StaleDeliveryCounter;

/// A pause before another try when the server gives no answer, no room or no right.
const HOLD: Duration = Duration::from_secs(1);

/// What came of a claim.
pub(crate) enum Claimed {
    /// The attempt is ours.
    Granted(Box<Lease>),
    /// It is not: settle the delivery so.
    Not(Box<Delivery>, Settle),
    /// The delivery was handed to the lease that runs this very attempt.
    Adopted,
}

/// What carrying a decision out came to.
enum Next {
    Ended(Ended),
    /// Judge again, with what stands now. `adopt`: the record is taken over although its delivery does not look older.
    Judge {
        stored: StoredEntry,
        adopt: bool,
    },
    /// The server has no room for the record, or we no permission to write it: hold the delivery, then judge again.
    Wait,
}

/// A claim that landed.
struct Granted {
    record: Record,
    revision: u64,
    policy: Policy,
    turn: Option<QuarantinePermit>,
}

/// Where a claim ends.
enum Ended {
    Granted(Box<Granted>),
    Not(Settle),
    /// This host runs the attempt: the delivery is its lease's.
    Adopt,
}

/// Claims the job of `delivery`, or ends it, or finds that it is not this delivery's to run. `bad`: why the message
/// cannot be read as a job. `memory`: what the attempt gets, at first what is usual.
pub(crate) async fn claim(
    host: &Host,
    delivery: Delivery,
    bad: Option<&str>,
    memory: &mut Reserved,
) -> Claimed {
    let (ended, held_at) = held(host, &delivery, Claiming::run(host, &delivery, bad, memory)).await;
    match ended {
        Ended::Granted(granted) => {
            let Granted { record, revision, policy, turn } = *granted;
            Claimed::Granted(Box::new(Lease::new(
                host,
                (delivery, held_at),
                (record, revision),
                policy,
                turn,
            )))
        }
        Ended::Adopt => {
            let key = delivery.key.clone();
            host.leases.wake(&key, Wake::Adopt(Box::new(delivery)));
            Claimed::Adopted
        }
        Ended::Not(how) => Claimed::Not(Box::new(delivery), how),
    }
}

/// Holds on to the delivery for as long as its claim takes: while the server is away, further ones would queue up behind
/// it, and each take the job from the one before. With what came of it, the time from which it is known to be held.
async fn held<T>(host: &Host, delivery: &Delivery, claiming: impl Future<Output = T>) -> (T, Instant) {
    let mut claiming = std::pin::pin!(claiming);
    let mut held_at = delivery.received_at;
    loop {
        tokio::select! {
            biased;
            claimed = &mut claiming => return (claimed, held_at),
            () = tokio::time::sleep(host.config.ack_wait / 3) => {
                let asked_at = Instant::now();
                if in_progress(&host.connection, &delivery.message).await {
                    held_at = asked_at;
                }
            }
        }
    }
}

/// One delivery on its way to a claim.
struct Claiming<'a> {
    host: &'a Host,
    delivery: &'a Delivery,
    /// The version of the module that a first claim takes.
    module: Option<ModuleEntry>,
    token: Token,
    /// R4's adoption, and R3's fourth time.
    adopt: bool,
    bad: Option<&'a str>,
    /// Whether a copy of the failure is kept already.
    dead_lettered: bool,
    waiting: Option<BlockedWrite>,
    memory: &'a mut Reserved,
}

impl<'a> Claiming<'a> {
    async fn run(
        host: &'a Host,
        delivery: &'a Delivery,
        bad: Option<&'a str>,
        memory: &'a mut Reserved,
    ) -> Ended {
        let (token, adopt, buried) = (random_token(), false, false);
        let mut this = Self {
            host,
            delivery,
            module: None,
            token,
            adopt,
            bad,
            dead_lettered: buried,
            waiting: None,
            memory,
        };
        if !this.find_module().await {
            return Ended::Not(Settle::Nak(Duration::ZERO));
        }
        let (mut stored, mut believed) = first_stored_entry(host, delivery).await;
        loop {
            // A message that names a record which is not there: ended long ago, or lost with its bucket.
            let missed = matches!(stored, StoredEntry::Absent) && believed.is_none();
            if missed && delivery.options.revision.is_some() && !host.bucket.look(host).await {
                return Ended::Not(Settle::Nak(Duration::ZERO));
            }
            let (decision, policy) = this.judge(&stored, believed.take());
            match this.carry_out(decision, stored, policy).await {
                Next::Judge { stored: found, adopt } => {
                    (stored, this.adopt, this.token) = (found, adopt, random_token());
                }
                // The token stays: what was sent before may still land.
                Next::Wait if this.hold().await => {
                    stored = host.records.read_until_known(&delivery.key).await;
                    this.adopt = false;
                    if let Some(granted) = this.landed(&stored) {
                        return Ended::Granted(granted);
                    }
                }
                Next::Wait => return Ended::Not(Settle::Nak(Duration::ZERO)),
                Next::Ended(ended) => return ended,
            }
        }
    }

    /// Its own claim, where that landed after all.
    fn landed(&self, stored: &StoredEntry) -> Option<Box<Granted>> {
        let record = module::recorded(stored)?;
        if record.token != Some(self.token) || record.is_terminal() {
            return None;
        }
        let (record, revision, policy) = (record.clone(), stored.expected(), self.policy(stored));
        Some(Box::new(Granted { record, revision, policy, turn: None }))
    }

    /// That of the record's own version, where it names one.
    fn policy(&self, stored: &StoredEntry) -> Policy {
        let own = module::recorded(stored).and_then(|record| module::policy_of(self.host, record));
        let current = || self.module.as_ref().map(|module| module.policy.clone());
        own.or_else(current).unwrap_or_default()
    }

    /// A registry that does not answer is no unknown module. False: the host closes.
    async fn find_module(&mut self) -> bool {
        loop {
            match module::find(self.host, self.delivery).await {
                Ok(found) => {
                    self.module = found;
                    return true;
                }
                Err(error) => {
                    limited!(warn, job.key = %self.delivery.key, %error, "cannot look a module up; the job waits");
                    if !self.hold().await {
                        return false;
                    }
                }
            }
        }
    }

    /// The decision, and the policy that it was made by.
    fn judge(&self, stored: &StoredEntry, believed: Option<u64>) -> (ClaimDecision, Policy) {
        let policy = self.policy(stored);
        let first = module::recorded(stored).is_none_or(|record| record.attempt == 0);
        let over = module::over_policy(self.delivery, &policy).filter(|_| first);
        let over = over.or_else(|| module::over_ceiling(&self.host.config.ceiling, self.delivery, &policy));
        let decision = decide_claim(&ClaimInput {
            stored,
            trusted_revision: believed,
            claim: &self.claim(&policy),
            revision: self.delivery.options.revision,
            stored_at: self.delivery.stored_at,
            is_of_body: &|digest| is_args_digest_of(digest, self.delivery.body()),
            now: now(),
            bucket_created: self.host.bucket.created(),
            write: random_write(),
            result_ttl: self.delivery.result_ttl(&policy),
            unreadable: self.bad.or(over.as_deref()),
        });
        (decision, policy)
    }

    fn claim(&self, policy: &Policy) -> Claim {
        Claim {
            job: self.delivery.submission(),
            host: self.host.id.clone(),
            token: self.token,
            msg_seq: self.delivery.msg_seq,
            delivery: self.delivery.delivery,
            digest: self.module.as_ref().map(|module| module.digest),
            max_attempts: policy.retry.max_attempts,
            max_lost: policy.retry.max_lost,
            track_started: policy.track_started,
            adopt: self.adopt,
        }
    }

    async fn carry_out(&mut self, decision: ClaimDecision, stored: StoredEntry, policy: Policy) -> Next {
        match decision {
            ClaimDecision::Ack => {
                drop_checkpoint(self.host, module::recorded(&stored)).await;
                not(Settle::Ack)
            }
            ClaimDecision::Delay(delay) => not(Settle::Nak(delay)),
            ClaimDecision::DeadLetter { reason, why } => {
                not(dead_letter::dead_letter_message(self.host, self.delivery, reason, &why).await)
            }
            ClaimDecision::LookUpMessage { msg_seq } => self.look(msg_seq).await,
            // Whatever a newer delivery may do: the owner is here, and alive.
            ClaimDecision::Claim { .. } | ClaimDecision::End { .. } | ClaimDecision::Stale { .. }
                if self.host.leases.runs(&self.delivery.key, token_of(&stored)) =>
            {
                Next::Ended(Ended::Adopt)
            }
            ClaimDecision::Stale { revision } if self.host.stale_deliveries.again(revision) => {
                not(Settle::Silent)
            }
            ClaimDecision::Stale { .. } => Next::Judge { stored, adopt: true },
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

    /// What was judged may have changed by the time that there is room: it is judged again.
    async fn wait_for_memory(&mut self, limit_bytes: u64) -> Next {
        limited!(info, job.key = %self.delivery.key, "all memory for jobs is in use; the job waits");
        tokio::select! {
            () = self.memory.wait_for(limit_bytes) => {}
            () = self.host.closing.cancelled() => return not(Settle::Nak(Duration::ZERO)),
        }
        let stored = self.host.records.read_until_known(&self.delivery.key).await;
        Next::Judge { stored, adopt: false }
    }

    /// R4: a message that still stands keeps the record, and this one is dropped; else this one takes its place, unless
    /// the record has moved to a third one meanwhile.
    async fn look(&self, msg_seq: u64) -> Next {
        match jobs::stands_at(&self.host.connection, &self.delivery.key, msg_seq).await {
            Ok(true) => return not(Settle::Ack),
            Ok(false) => {}
            // In doubt nothing is dropped: this may be the only message that is left.
            Err(error) => {
                limited!(warn, job.key = %self.delivery.key, %error, "cannot look a message up; the job waits");
                return Next::Wait;
            }
        }
        let stored = self.host.records.read_until_known(&self.delivery.key).await;
        let adopt = module::recorded(&stored).is_some_and(|record| record.msg_seq == Some(msg_seq));
        Next::Judge { stored, adopt }
    }

    /// T1 and T4. A suspect waits for its turn: given back, so that no slot is held by those that wait.
    async fn write_claim(&self, record: Box<Record>, expected: u64, policy: Policy) -> Next {
        let turn = match self.host.quarantine.admit(&record, policy.retry.max_lost) {
            Ok(turn) => turn,
            Err(wait) => return not(Settle::Nak(wait)),
        };
        fault::point("before-claim");
        let written = self.host.records.write(&self.delivery.key, &record, expected, None).await;
        fault::point("claim-sent");
        match written {
            Ok(Written::Landed(revision)) => {
                Next::Ended(Ended::Granted(Box::new(Granted { record: *record, revision, policy, turn })))
            }
            Ok(Written::Moved(StoredEntry::Record { record, revision }))
                if record.token == Some(self.token) && !record.is_terminal() =>
            {
                Next::Ended(Ended::Granted(Box::new(Granted { record: *record, revision, policy, turn })))
            }
            Ok(Written::Moved(stored)) => Next::Judge { stored, adopt: false },
            Err(error) => self.refused(&error).await,
        }
    }

    /// T6, T6b and T8: the job ends without another attempt. A failure is kept for people first (R7).
    async fn write_end(&mut self, mut record: Record, expected: u64, policy: &Policy) -> Next {
        if !self.dead_lettered {
            self.dead_lettered =
                dead_letter::dead_letter_failure(self.host, &self.delivery.message, &record).await;
        }
        if !self.dead_lettered {
            record.note_missing_dead_letter();
        }
        fault::point("before-end");
        let ttl = policy.terminal_ttl(&record, self.delivery.options.result_ttl);
        match self.host.records.write(&self.delivery.key, &record, expected, Some(ttl)).await {
            Ok(Written::Landed(_)) => {
                drop_checkpoint(self.host, Some(&record)).await;
                not(Settle::Ack)
            }
            Ok(Written::Moved(stored)) => Next::Judge { stored, adopt: false },
            Err(error) => self.refused(&error).await,
        }
    }

    /// A record that is too large stays so, and has no place but with people; for all else there is room again some day.
    async fn refused(&self, error: &WriteError) -> Next {
        if matches!(error, WriteError::TooLarge(_)) {
            let why = error.to_string();
            return not(
                dead_letter::dead_letter_message(self.host, self.delivery, "RecordTooLarge", &why).await
            );
        }
        limited!(error, job.key = %self.delivery.key, %error, "could not write a record; the job waits");
        Next::Wait
    }

    /// Keeps the delivery: given back it would be counted as one that no host survives. False: the host closes.
    async fn hold(&mut self) -> bool {
        self.waiting.get_or_insert_with(|| self.host.blocked_writes.register());
        tokio::select! {
            () = tokio::time::sleep(HOLD) => true,
            () = self.host.closing.cancelled() => false,
        }
    }
}

/// On the common path nothing is read: a first delivery with a trusted revision is believed, and the write tells (R0).
async fn first_stored_entry(host: &Host, delivery: &Delivery) -> (StoredEntry, Option<u64>) {
    if host.config.trust_submitters && delivery.delivery.count == 1 {
        return (StoredEntry::Absent, delivery.options.revision);
    }
    (host.records.read_until_known(&delivery.key).await, None)
}

fn not(how: Settle) -> Next {
    Next::Ended(Ended::Not(how))
}

fn token_of(stored: &StoredEntry) -> Option<Token> {
    module::recorded(stored).and_then(|record| record.token)
}
