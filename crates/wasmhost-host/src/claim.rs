//! Claiming a job for an attempt: T1 and T4, and what happens instead of them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use wasmhost_nats::{WriteError, Written, digest_of, fault, jobs, now, random_token, random_write, registry};
use wasmhost_protocol::{
    Case, Claim, Judgement, ModuleEntry, Policy, Record, Standing, Token, format_duration, header, judge,
};

use crate::attempts::Wake;
use crate::dead;
use crate::delivery::Delivery;
use crate::host::Host;
use crate::lease::Lease;
use crate::settle::{Settle, in_progress};
use crate::suspects::Turn;

/// How often a host walks away from one revision before its delivery counts as newer (R3).
const WALKS_AWAY: u32 = 3;
/// Revisions remembered for that; the oldest knowledge is dropped whole.
const WALKS_REMEMBERED: usize = 4096;
/// A pause before another try when NATS refuses a write for lack of room or rights.
const ROOM_DELAY: Duration = Duration::from_secs(1);

/// What came of a claim.
pub(crate) enum Claimed {
    /// The attempt is ours.
    Granted(Box<Lease>),
    /// It is not: settle the delivery so.
    Not(Box<Delivery>, Settle),
    /// The delivery was handed to the lease that runs this very attempt.
    Adopted,
}

/// Revisions that this host walked away from.
#[derive(Debug, Default)]
pub(crate) struct Walks(Mutex<HashMap<u64, u32>>);

impl Walks {
    /// Whether to walk away from `revision` once more.
    pub(crate) fn again(&self, revision: u64) -> bool {
        let mut walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if walks.len() >= WALKS_REMEMBERED {
            walks.clear();
        }
        let walked = walks.entry(revision).or_insert(0);
        *walked += 1;
        *walked <= WALKS_AWAY
    }
}

/// A value over the policy is refused, not clamped.
fn over_policy(delivery: &Delivery, policy: &Policy) -> Option<String> {
    let asked = delivery.options.timeout.filter(|timeout| *timeout > policy.limits.timeout)?;
    let (asked, allowed) = (format_duration(asked), format_duration(policy.limits.timeout));
    Some(format!("{}: {asked} is more than the {allowed} that the module's policy allows", header::TIMEOUT))
}

/// What carrying a judgement out came to.
enum Next {
    Granted(Box<Record>, u64, Option<Turn>),
    Not(Settle),
    /// This host runs the attempt: the delivery is its lease's.
    Adopt,
    /// Judge again, with what stands now. `adopt`: the record is taken over although its delivery does not look older.
    Judge {
        standing: Standing,
        adopt: bool,
    },
    /// The server has no room for the record, or no permission to write it: hold the delivery, then judge again.
    Wait,
}

/// One delivery on its way to a claim.
struct Claiming<'a> {
    host: &'a Host,
    delivery: &'a Delivery,
    claim: Claim,
    result_ttl: Duration,
    /// Why the message cannot be read as a job.
    bad: Option<&'a str>,
}

/// Claims the job of `delivery`, or ends it, or finds that it is not this delivery's to run. `bad`: why the message
/// cannot be read as a job.
pub(crate) async fn claim(host: &Host, delivery: Delivery, bad: Option<&str>) -> Claimed {
    let module = current_module(host, &delivery).await;
    let policy = module.as_ref().map(|module| module.policy.clone()).unwrap_or_default();
    let result_ttl = delivery.options.result_ttl.filter(|ttl| !ttl.is_zero()).unwrap_or(policy.result_ttl);
    let over = over_policy(&delivery, &policy);
    let bad = bad.or(over.as_deref());
    let claim = new_claim(host, &delivery, module.as_ref(), &policy);
    match (Claiming { host, delivery: &delivery, claim, result_ttl, bad }).run().await {
        Next::Granted(record, revision, turn) => {
            let policy = policy_of(host, &record).unwrap_or(policy);
            Claimed::Granted(Box::new(Lease::new(host, delivery, (*record, revision), policy, turn)))
        }
        Next::Adopt => {
            let key = delivery.key.clone();
            host.attempts.wake(&key, Wake::Adopt(Box::new(delivery)));
            Claimed::Adopted
        }
        Next::Not(how) => Claimed::Not(Box::new(delivery), how),
        Next::Judge { .. } | Next::Wait => unreachable!("`run` goes on with these itself"),
    }
}

impl Claiming<'_> {
    async fn run(mut self) -> Next {
        let (mut standing, mut believed) = first_standing(self.host, self.delivery).await;
        loop {
            let judgement = self.judge(&standing, believed.take());
            match self.carry_out(judgement, standing).await {
                Next::Judge { standing: found, adopt } => (standing, self.claim.adopt) = (found, adopt),
                Next::Wait if self.hold().await => {
                    standing = self.host.records.read_until_known(&self.delivery.key).await;
                    self.claim.adopt = false;
                }
                Next::Wait => return Next::Not(Settle::Nak(Duration::ZERO)),
                ended @ (Next::Granted(..) | Next::Not(_) | Next::Adopt) => return ended,
            }
            self.claim.token = random_token();
        }
    }

    fn judge(&self, standing: &Standing, believed: Option<u64>) -> Judgement {
        judge(&Case {
            standing,
            believed,
            claim: &self.claim,
            revision: self.delivery.options.revision,
            stored_at: self.delivery.stored_at,
            body_digest: &|| digest_of(self.delivery.body()),
            now: now(),
            write: random_write(),
            result_ttl: self.result_ttl,
            bad: self.bad,
        })
    }

    async fn carry_out(&self, judgement: Judgement, standing: Standing) -> Next {
        match judgement {
            Judgement::Ack => Next::Not(Settle::Ack),
            Judgement::Rest(delay) => Next::Not(Settle::Nak(delay)),
            Judgement::Dead { reason, why } => {
                Next::Not(dead::bury_message(self.host, self.delivery, reason, &why).await)
            }
            Judgement::Look { msg_seq } => self.look(msg_seq).await,
            // Whatever a newer delivery may do: the owner is here, and alive.
            Judgement::Claim { .. } | Judgement::End { .. } | Judgement::Stale { .. }
                if self.host.attempts.runs(&self.delivery.key, token_of(&standing)) =>
            {
                Next::Adopt
            }
            Judgement::Stale { revision } if self.host.walks.again(revision) => Next::Not(Settle::Silent),
            Judgement::Stale { .. } => Next::Judge { standing, adopt: true },
            Judgement::Claim { mut record, expected } => {
                if self.claim.adopt && fault::is_broken("no-fence-at-adoption") {
                    record.token = token_of(&standing).or(record.token);
                }
                self.write_claim(record, expected).await
            }
            Judgement::End { record, expected } => self.write_end(record, expected).await,
        }
    }

    /// R4: a message that still stands keeps the record, and this one is dropped; else this one takes its place, unless
    /// the record has moved to a third one meanwhile.
    async fn look(&self, msg_seq: u64) -> Next {
        if message_stands(self.host, self.delivery, msg_seq).await {
            return Next::Not(Settle::Ack);
        }
        let standing = self.host.records.read_until_known(&self.delivery.key).await;
        let adopt = match &standing {
            Standing::Record { record, .. } => record.msg_seq == Some(msg_seq),
            Standing::Absent
            | Standing::Deleted(_)
            | Standing::Unreadable { .. }
            | Standing::Newer { .. } => false,
        };
        Next::Judge { standing, adopt }
    }

    /// T1 and T4. A suspect waits for its turn: given back, so that no slot is held by those that wait.
    async fn write_claim(&self, record: Box<Record>, expected: u64) -> Next {
        let turn = match self.host.suspects.turn_of(&record) {
            Ok(turn) => turn,
            Err(wait) => return Next::Not(Settle::Nak(wait)),
        };
        fault::point("before-claim");
        match self.host.records.write(&self.delivery.key, &record, expected, None).await {
            Ok(Written::Landed(revision)) => Next::Granted(record, revision, turn),
            Ok(Written::Moved(Standing::Record { record, revision }))
                if record.token == Some(self.claim.token) && !record.is_terminal() =>
            {
                Next::Granted(record, revision, turn)
            }
            Ok(Written::Moved(standing)) => Next::Judge { standing, adopt: false },
            Err(error) => self.refused(&error),
        }
    }

    /// T6, T6b and T8: the job ends without another attempt. A failure is kept for people first (R7).
    async fn write_end(&self, record: Box<Record>, expected: u64) -> Next {
        dead::bury_failure(self.host, &self.delivery.message, &record).await;
        fault::point("before-end");
        let ttl = if record.attempt == 0 { Policy::NEVER_RAN_TTL } else { self.result_ttl };
        match self.host.records.write(&self.delivery.key, &record, expected, Some(ttl)).await {
            Ok(Written::Landed(_)) => Next::Not(Settle::Ack),
            Ok(Written::Moved(standing)) => Next::Judge { standing, adopt: false },
            Err(error) => self.refused(&error),
        }
    }

    fn refused(&self, error: &WriteError) -> Next {
        tracing::error!(job.key = %self.delivery.key, %error, "could not write a record; the job waits");
        Next::Wait
    }

    /// Keeps the delivery while the server has no room: given back it would be counted as one that no host survives.
    /// False: the host closes.
    async fn hold(&self) -> bool {
        let _waiting = self.host.room.wait();
        in_progress(&self.delivery.message).await;
        let pause = ROOM_DELAY.min(self.host.config.ack_wait / 3);
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.host.closing.cancelled() => false,
        }
    }
}

/// A job keeps the version of its first claim, and that version's policy with it.
fn policy_of(host: &Host, record: &Record) -> Option<Policy> {
    let digest = record.digest?;
    host.registry.with_digest(&record.task.module(), &digest).map(|entry| entry.policy)
}

/// On the common path nothing is read: a first delivery with a trusted revision is believed, and the write tells (R0).
async fn first_standing(host: &Host, delivery: &Delivery) -> (Standing, Option<u64>) {
    if host.config.trust_submitters && delivery.delivery.count == 1 {
        return (Standing::Absent, delivery.options.revision);
    }
    (host.records.read_until_known(&delivery.key).await, None)
}

/// The module's entry as this host knows it; asked for once more where the watch may lag behind a push.
async fn current_module(host: &Host, delivery: &Delivery) -> Option<ModuleEntry> {
    let module = delivery.key.task().module();
    let known = match &delivery.options.digest {
        Some(digest) => host.registry.with_digest(&module, digest),
        None => host.registry.get(&module),
    };
    match (known, &delivery.options.digest) {
        (Some(entry), _) => Some(entry),
        (None, Some(_)) => None,
        (None, None) => {
            registry::current(&host.connection, &module).await.ok().flatten().map(|(entry, _)| entry)
        }
    }
}

fn new_claim(host: &Host, delivery: &Delivery, module: Option<&ModuleEntry>, policy: &Policy) -> Claim {
    Claim {
        job: delivery.submission(),
        host: host.id.clone(),
        token: random_token(),
        msg_seq: delivery.msg_seq,
        delivery: delivery.delivery,
        digest: module.map(|module| module.digest),
        max_attempts: policy.retry.max_attempts,
        max_lost: policy.retry.max_lost,
        track_started: policy.track_started,
        adopt: false,
    }
}

fn token_of(standing: &Standing) -> Option<Token> {
    match standing {
        Standing::Record { record, .. } => record.token,
        Standing::Absent | Standing::Deleted(_) | Standing::Unreadable { .. } | Standing::Newer { .. } => {
            None
        }
    }
}

/// R4: whether a message of this key is still under `msg_seq`. When in doubt, it is.
async fn message_stands(host: &Host, delivery: &Delivery, msg_seq: u64) -> bool {
    jobs::stands_at(&host.connection, &delivery.key, msg_seq).await.unwrap_or_else(|error| {
        tracing::warn!(job.key = %delivery.key, %error, "could not look a message up");
        true
    })
}
