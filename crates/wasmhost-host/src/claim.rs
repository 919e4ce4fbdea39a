//! Claiming a job for an attempt: T1 and T4, and what happens instead of them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use wasmhost_nats::{WriteError, Written, digest_of, jobs, now, random_token, random_write, registry};
use wasmhost_protocol::{
    Case, Claim, Judgement, ModuleEntry, Policy, Record, Standing, Token, format_duration, header, judge,
};

use crate::attempts::Wake;
use crate::dead;
use crate::delivery::Delivery;
use crate::host::Host;
use crate::lease::Lease;
use crate::settle::Settle;

/// How often a host walks away from one revision before its delivery counts as newer (R3).
const WALKS_AWAY: u32 = 3;
/// Revisions remembered for that; the oldest knowledge is dropped whole.
const WALKS_REMEMBERED: usize = 4096;
/// A pause before another try when NATS refuses a write for lack of room or rights.
const REFUSED_DELAY: Duration = Duration::from_secs(5);

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
    Granted(Box<Record>, u64),
    Not(Settle),
    Adopt,
    Judge(Standing),
}

/// Claims the job of `delivery`, or ends it, or finds that it is not this delivery's to run. `bad`: why the message
/// cannot be read as a job.
pub(crate) async fn claim(host: &Host, delivery: Delivery, bad: Option<&str>) -> Claimed {
    let module = current_module(host, &delivery).await;
    let policy = module.as_ref().map(|module| module.policy.clone()).unwrap_or_default();
    let result_ttl = delivery.options.result_ttl.filter(|ttl| !ttl.is_zero()).unwrap_or(policy.result_ttl);
    let over = over_policy(&delivery, &policy);
    let bad = bad.or(over.as_deref());
    let mut claim = new_claim(host, &delivery, module.as_ref(), &policy);
    let (mut standing, mut believed) = first_standing(host, &delivery).await;
    loop {
        let judgement = judge(&Case {
            standing: &standing,
            believed,
            claim: &claim,
            revision: delivery.options.revision,
            stored_at: delivery.stored_at,
            body_digest: &|| digest_of(delivery.body()),
            now: now(),
            write: random_write(),
            result_ttl,
            bad,
        });
        standing = match carry_out(host, &delivery, judgement, standing, &mut claim, result_ttl).await {
            Next::Granted(record, revision) => return granted(host, delivery, *record, revision, policy),
            Next::Not(how) => return Claimed::Not(Box::new(delivery), how),
            Next::Adopt => {
                let key = delivery.key.clone();
                host.attempts.wake(&key, Wake::Adopt(Box::new(delivery)));
                return Claimed::Adopted;
            }
            Next::Judge(found) => found,
        };
        believed = None;
        claim.token = random_token();
    }
}

async fn carry_out(
    host: &Host,
    delivery: &Delivery,
    judgement: Judgement,
    standing: Standing,
    claim: &mut Claim,
    result_ttl: Duration,
) -> Next {
    match judgement {
        Judgement::Claim { record, expected } => match write_claim(host, delivery, &record, expected).await {
            Ok(Written::Landed(revision)) => Next::Granted(record, revision),
            Ok(Written::Moved(Standing::Record { record, revision }))
                if record.token == Some(claim.token) =>
            {
                Next::Granted(record, revision)
            }
            Ok(Written::Moved(found)) => Next::Judge(found),
            Err(how) => Next::Not(how),
        },
        Judgement::End { record, expected } => {
            match write_end(host, delivery, &record, expected, result_ttl).await {
                Ok(Written::Landed(_)) => Next::Not(Settle::Ack),
                Ok(Written::Moved(found)) => Next::Judge(found),
                Err(how) => Next::Not(how),
            }
        }
        Judgement::Ack => Next::Not(Settle::Ack),
        Judgement::Rest(delay) => Next::Not(Settle::Nak(delay)),
        Judgement::Dead { reason, why } => Next::Not(dead::bury_message(host, delivery, reason, &why).await),
        Judgement::Look { msg_seq } if message_stands(host, delivery, msg_seq).await => {
            Next::Not(Settle::Ack)
        }
        Judgement::Look { .. } => {
            claim.adopt = true;
            Next::Judge(host.records.read_until_known(&delivery.key).await)
        }
        Judgement::Stale { .. } if host.attempts.runs(&delivery.key, token_of(&standing)) => Next::Adopt,
        Judgement::Stale { revision } if host.walks.again(revision) => Next::Not(Settle::Silent),
        Judgement::Stale { .. } => {
            claim.adopt = true;
            Next::Judge(standing)
        }
    }
}

/// The lease of a claim that landed. A job keeps the version of its first claim, and that version's policy with it.
fn granted(host: &Host, delivery: Delivery, record: Record, revision: u64, current: Policy) -> Claimed {
    let module = record.task.module();
    let entry = record.digest.and_then(|digest| host.registry.with_digest(&module, &digest));
    let policy = entry.map_or(current, |entry| entry.policy);
    Claimed::Granted(Box::new(Lease::new(host, delivery, record, revision, policy)))
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

async fn write_claim(
    host: &Host,
    delivery: &Delivery,
    record: &Record,
    expected: u64,
) -> Result<Written, Settle> {
    host.records.write(&delivery.key, record, expected, None).await.map_err(|error| refused(delivery, &error))
}

/// T6, T6b and T8: the job ends without another attempt. A failure is kept for people first (R7).
async fn write_end(
    host: &Host,
    delivery: &Delivery,
    record: &Record,
    expected: u64,
    result_ttl: Duration,
) -> Result<Written, Settle> {
    dead::bury_failure(host, delivery, record).await;
    let ttl = if record.attempt == 0 { Policy::NEVER_RAN_TTL } else { result_ttl };
    host.records
        .write(&delivery.key, record, expected, Some(ttl))
        .await
        .map_err(|error| refused(delivery, &error))
}

fn refused(delivery: &Delivery, error: &WriteError) -> Settle {
    tracing::error!(job.key = %delivery.key, %error, "could not write a record; the job waits");
    Settle::Nak(REFUSED_DELAY)
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
    match jobs::message_at(&host.connection, msg_seq).await {
        Ok(found) => found.is_some_and(|message| {
            let subject = host.connection.names.parse_job_subject(&message.subject);
            let key = &delivery.key;
            subject.is_ok_and(|at| at.task == *key.task() && at.id.is_none_or(|id| id == *key.id()))
        }),
        Err(error) => {
            tracing::warn!(job.key = %delivery.key, %error, "could not look a message up");
            true
        }
    }
}
