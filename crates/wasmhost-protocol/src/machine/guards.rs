//! The guards of the state machine: who may write which transition from which state, and when.

use super::intent::{CLAIM_CLOCK_TOLERANCE, Claim, Illegal, WriteIntent, Writer};
use crate::policy::{Limits, RetryPolicy};
use crate::record::{End, ErrorKind, JobState, Record, Revoke};
use crate::text::truncate;
use crate::timestamp::Timestamp;

/// T0b.
pub(super) fn touch(record: &Record, intent: &WriteIntent) -> Result<(), Illegal> {
    match (intent.writer, record.attempt) {
        (Writer::Client, 0) => Ok(()),
        (Writer::Client, _) => Err(Illegal::Wrong { event: "a touch", state: record.state() }),
        (Writer::Owner(_) | Writer::Host | Writer::Reconciler, _) => Err(Illegal::NotAllowed("a touch")),
    }
}

/// T1 and T4; what `lost` becomes. A stale delivery is told first: it may not end the job either (T6b, T8).
pub(super) fn claim(record: &Record, claim: &Claim, intent: &WriteIntent) -> Result<u32, Illegal> {
    if intent.writer != Writer::Host {
        return Err(Illegal::NotAllowed("a claim"));
    }
    if is_stale(record, claim) {
        return Err(Illegal::Stale);
    }
    if record.revoke.is_some() {
        return Err(Illegal::Revoked);
    }
    if record.is_expired(intent.now) {
        return Err(Illegal::Expired);
    }
    if let Some(not_before) = record.stage.not_before().filter(|not_before| is_early(*not_before, intent.now))
    {
        return Err(Illegal::Early(not_before));
    }
    let lost = lost_after(record, claim);
    if lost > claim.max_lost {
        return Err(Illegal::Lost(lost));
    }
    match record.max_attempts.or(claim.max_attempts) {
        Some(max) if record.charged >= max => Err(Illegal::Exhausted(max)),
        Some(_) | None => Ok(lost),
    }
}

/// A claim needs a token of its own, and a delivery that is newer than the record's, of the same message.
fn is_stale(record: &Record, claim: &Claim) -> bool {
    let same_message = record.msg_seq.is_none_or(|seq| seq == claim.msg_seq);
    let newer = record.delivery.is_none_or(|held| held < claim.delivery);
    record.token == Some(claim.token) || !(claim.adopt || same_message && newer)
}

fn is_early(not_before: Timestamp, now: Timestamp) -> bool {
    now < not_before.minus(CLAIM_CLOCK_TOLERANCE)
}

/// `lost` counts a claim that ended without an outcome, unless its consumer was re-created: its owner may be healthy.
fn lost_after(record: &Record, claim: &Claim) -> u32 {
    let running = matches!(record.stage, JobState::Running(_));
    let same_consumer = record.delivery.is_none_or(|held| held.created == claim.delivery.created);
    record.lost + u32::from(running && same_consumer)
}

/// T2, T3 and T5: the newest claim's owner, while the attempt runs and nobody revoked it.
pub(super) fn owner(record: &Record, intent: &WriteIntent, event: &'static str) -> Result<(), Illegal> {
    let Writer::Owner(token) = intent.writer else { return Err(Illegal::NotAllowed(event)) };
    if record.token != Some(token) {
        return Err(Illegal::NotOwner);
    }
    if record.revoke.is_some() {
        return Err(Illegal::Revoked);
    }
    match record.stage {
        JobState::Running(_) => Ok(()),
        JobState::Pending { .. } | JobState::Retry { .. } | JobState::Ended { .. } => {
            Err(Illegal::Wrong { event, state: record.state() })
        }
    }
}

/// T3: an attempt that counts must leave another one.
pub(super) fn retry(record: &Record, intent: &WriteIntent, charge: bool) -> Result<(), Illegal> {
    owner(record, intent, "RETRY")?;
    let max = record.max_attempts.unwrap_or(RetryPolicy::ASKED_ATTEMPTS);
    if charge && record.charged + 1 >= max {
        return Err(Illegal::Exhausted(max));
    }
    Ok(())
}

/// T5 for the owner, T8 for hosts and the reconciler.
pub(super) fn finish(record: &Record, intent: &WriteIntent, end: &End) -> Result<(), Illegal> {
    match (intent.writer, end) {
        (_, End::Revoked) => Err(Illegal::NotAllowed("REVOKED as an outcome")),
        (Writer::Owner(_), End::Success(_) | End::Failure(_)) => owner(record, intent, "an outcome"),
        (Writer::Host | Writer::Reconciler, End::Failure(_)) if record.revoke.is_some() => {
            Err(Illegal::Revoked)
        }
        (Writer::Host | Writer::Reconciler, End::Failure(error)) => without_attempt(record, error.kind),
        (Writer::Host | Writer::Reconciler, End::Success(_)) | (Writer::Client, _) => {
            Err(Illegal::NotAllowed("an outcome"))
        }
    }
}

/// The kinds of T8: a message that is gone was published if anyone claimed it.
fn without_attempt(record: &Record, kind: ErrorKind) -> Result<(), Illegal> {
    let event = match kind {
        ErrorKind::WorkerLost | ErrorKind::Poison | ErrorKind::BadJob | ErrorKind::Exhausted => return Ok(()),
        ErrorKind::Lost if record.attempt > 0 => return Ok(()),
        ErrorKind::NotPublished if record.attempt == 0 => return Ok(()),
        ErrorKind::Lost => "Lost without a claim",
        ErrorKind::NotPublished => "NotPublished after a claim",
        ErrorKind::Failed
        | ErrorKind::Permanent
        | ErrorKind::BadArguments
        | ErrorKind::UnknownModule
        | ErrorKind::UnknownFunction
        | ErrorKind::BadModule
        | ErrorKind::Panicked
        | ErrorKind::Trapped
        | ErrorKind::Exited
        | ErrorKind::OutOfMemory
        | ErrorKind::CpuLimit
        | ErrorKind::TimedOut
        | ErrorKind::OutOfFuel
        | ErrorKind::LimitExceeded
        | ErrorKind::ModuleUnavailable
        | ErrorKind::HostBug => return Err(Illegal::NotAllowed("an attempt's failure")),
    };
    Err(Illegal::Wrong { event, state: record.state() })
}

/// T6 for anyone while nothing runs, T6b for hosts and the reconciler, T7 for the owner.
pub(super) fn revoked(record: &Record, intent: &WriteIntent) -> Result<(), Illegal> {
    let running = matches!(record.stage, JobState::Running(_));
    let due = record.revoke.is_some() || record.is_expired(intent.now);
    let wrong = |event| Err(Illegal::Wrong { event, state: record.state() });
    match intent.writer {
        Writer::Owner(token) if record.token != Some(token) => Err(Illegal::NotOwner),
        Writer::Owner(_) if record.revoke.is_none() => wrong("REVOKED without a revoke"),
        Writer::Host | Writer::Reconciler if !due => wrong("REVOKED without a revoke"),
        Writer::Client if running => wrong("REVOKED by a client"),
        Writer::Owner(_) | Writer::Host | Writer::Reconciler | Writer::Client => Ok(()),
    }
}

/// T9 only ever moves `stop_at` earlier. A job without a claim is ended by T6 instead: a touch would carry the request on,
/// and a host that believes the message published after it builds its claim without a look at the record (R0).
pub(super) fn earlier(record: &Record, revoke: &Revoke, intent: &WriteIntent) -> Result<Revoke, Illegal> {
    if intent.writer != Writer::Client {
        return Err(Illegal::NotAllowed("a revoke"));
    }
    if record.attempt == 0 {
        return Err(Illegal::Wrong { event: "a request to stop", state: record.state() });
    }
    match &record.revoke {
        None => Ok(Revoke { reason: cut(&revoke.reason), stop_at: revoke.stop_at }),
        Some(held) if revoke.stop_at < held.stop_at => {
            Ok(Revoke { reason: held.reason.clone(), stop_at: revoke.stop_at })
        }
        Some(_) => Err(Illegal::Revoked),
    }
}

/// A reason that leaves room for all else in the record.
pub(super) fn cut(reason: &str) -> String {
    truncate(reason, Limits::REASON_BYTES).to_owned()
}
