//! The guards of the state machine: which writer may write which transition from which state, and when.

use super::intent::{CLAIM_CLOCK_TOLERANCE, Claim, IllegalTransition, WriteIntent, Writer};
use crate::policy::{Limits, RetryPolicy};
use crate::record::{End, ErrorKind, JobState, Record, Revoke};
use crate::text::truncate;
use crate::timestamp::Timestamp;

/// A client may touch a record that no host has claimed.
pub(super) fn check_touch(record: &Record, intent: &WriteIntent) -> Result<(), IllegalTransition> {
    match (intent.writer, record.attempt) {
        (Writer::Client, 0) => Ok(()),
        (Writer::Client, _) => {
            Err(IllegalTransition::WrongState { transition: "a touch", state: record.label() })
        }
        (Writer::Owner(_) | Writer::Host | Writer::Reconciler, _) => {
            Err(IllegalTransition::NotAllowed("a touch"))
        }
    }
}

/// A host may claim a job that is due, neither revoked nor expired, and has a claim and an attempt left.
/// Returns what `lost` becomes.
pub(super) fn check_claim(
    record: &Record,
    claim: &Claim,
    intent: &WriteIntent,
) -> Result<u32, IllegalTransition> {
    if intent.writer != Writer::Host {
        return Err(IllegalTransition::NotAllowed("a claim"));
    }
    // A stale delivery is refused before all else. The answers below let the host end the job, and a stale
    // delivery may not end it either: its owner may be healthy.
    if is_stale(record, claim) {
        return Err(IllegalTransition::Stale);
    }
    // A revoke comes before the number of lost claims, or a lost worker would hide it.
    if record.revoke.is_some() {
        return Err(IllegalTransition::Revoked);
    }
    if record.is_expired(intent.now) {
        return Err(IllegalTransition::Expired);
    }
    if let Some(not_before) = record.state.not_before().filter(|not_before| is_early(*not_before, intent.now))
    {
        return Err(IllegalTransition::NotDue(not_before));
    }
    let lost = lost_after(record, claim);
    if lost > claim.max_lost {
        return Err(IllegalTransition::TooManyLost(lost));
    }
    match record.max_attempts.or(claim.max_attempts) {
        Some(max) if record.charged >= max => Err(IllegalTransition::Exhausted(max)),
        Some(_) | None => Ok(lost),
    }
}

/// A claim needs a token of its own, and a delivery of the same message that is newer than the record's. The
/// host may pass over the delivery, by `adopt`, but never over the token: an adoption that kept it would
/// leave the owner before unfenced.
fn is_stale(record: &Record, claim: &Claim) -> bool {
    let is_same_message = record.msg_seq.is_none_or(|seq| seq == claim.msg_seq);
    let is_newer = record.delivery.is_none_or(|delivery| delivery < claim.delivery);
    record.token == Some(claim.token) || !(claim.adopt || is_same_message && is_newer)
}

fn is_early(not_before: Timestamp, now: Timestamp) -> bool {
    now < not_before.minus(CLAIM_CLOCK_TOLERANCE)
}

/// Returns the number of lost claims after this one. A claim from a running state says that the claim before
/// it ended without an outcome.
fn lost_after(record: &Record, claim: &Claim) -> u32 {
    let is_running = matches!(record.state, JobState::Running(_));
    // A consumer that was recreated delivers again what healthy hosts still run: nothing is lost.
    let is_same_consumer = record.delivery.is_none_or(|delivery| delivery.created == claim.delivery.created);
    record.lost + u32::from(is_running && is_same_consumer)
}

/// The owner of the newest claim may write while its attempt runs and no revoke is recorded. `intended` is what
/// the writer intends to write, for the error.
pub(super) fn check_owner(
    record: &Record,
    intent: &WriteIntent,
    intended: &'static str,
) -> Result<(), IllegalTransition> {
    let Writer::Owner(token) = intent.writer else { return Err(IllegalTransition::NotAllowed(intended)) };
    if record.token != Some(token) {
        return Err(IllegalTransition::NotOwner);
    }
    // From the moment of the revoke, REVOKED is all that is left to write, whatever the guest returns.
    if record.revoke.is_some() {
        return Err(IllegalTransition::Revoked);
    }
    match record.state {
        JobState::Running(_) => Ok(()),
        JobState::Pending { .. } | JobState::Retry { .. } | JobState::Ended { .. } => {
            Err(IllegalTransition::WrongState { transition: intended, state: record.label() })
        }
    }
}

/// The owner may record a retry if an attempt is left after one that is charged.
pub(super) fn check_retry(
    record: &Record,
    intent: &WriteIntent,
    charge: bool,
) -> Result<(), IllegalTransition> {
    check_owner(record, intent, "RETRY")?;
    let max = record.max_attempts.unwrap_or(RetryPolicy::ASKED_ATTEMPTS);
    if charge && record.charged + 1 >= max {
        return Err(IllegalTransition::Exhausted(max));
    }
    Ok(())
}

/// The owner may end the job with the outcome of its attempt; a host or the reconciler, with a failure that
/// no attempt produces.
pub(super) fn check_finish(
    record: &Record,
    intent: &WriteIntent,
    end: &End,
) -> Result<(), IllegalTransition> {
    match (intent.writer, end) {
        (_, End::Revoked) => Err(IllegalTransition::NotAllowed("REVOKED as an outcome")),
        (Writer::Owner(_), End::Success(_) | End::Failure(_)) => check_owner(record, intent, "an outcome"),
        (Writer::Host | Writer::Reconciler, End::Failure(_)) if record.revoke.is_some() => {
            Err(IllegalTransition::Revoked)
        }
        (Writer::Host | Writer::Reconciler, End::Failure(error)) => {
            check_kind_without_attempt(record, error.kind)
        }
        (Writer::Host | Writer::Reconciler, End::Success(_)) | (Writer::Client, _) => {
            Err(IllegalTransition::NotAllowed("an outcome"))
        }
    }
}

/// Checks the kind of a failure that no attempt produced.
fn check_kind_without_attempt(record: &Record, kind: ErrorKind) -> Result<(), IllegalTransition> {
    let intended = match kind {
        ErrorKind::WorkerLost | ErrorKind::Poison | ErrorKind::BadJob | ErrorKind::Exhausted => return Ok(()),
        // A claim proves that the message was published; without one nobody has ever seen it.
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
        | ErrorKind::HostBug => return Err(IllegalTransition::NotAllowed("an attempt's failure")),
    };
    Err(IllegalTransition::WrongState { transition: intended, state: record.label() })
}

/// A client may write REVOKED while nothing runs; a host or the reconciler, where a revoke is recorded or the
/// job has expired; the owner, where a revoke is recorded.
pub(super) fn check_revoked(record: &Record, intent: &WriteIntent) -> Result<(), IllegalTransition> {
    let is_running = matches!(record.state, JobState::Running(_));
    let is_due = record.revoke.is_some() || record.is_expired(intent.now);
    let wrong = |intended| Err(IllegalTransition::WrongState { transition: intended, state: record.label() });
    match intent.writer {
        Writer::Owner(token) if record.token != Some(token) => Err(IllegalTransition::NotOwner),
        // An attempt that has started may go on after `expires_at`: no attempt starts after it, that is all.
        Writer::Owner(_) if record.revoke.is_none() => wrong("REVOKED without a revoke"),
        Writer::Host | Writer::Reconciler if !is_due => wrong("REVOKED without a revoke"),
        Writer::Client if is_running => wrong("REVOKED by a client"),
        Writer::Owner(_) | Writer::Host | Writer::Reconciler | Writer::Client => Ok(()),
    }
}

/// A client may ask a claimed job to stop, or to stop earlier. Returns the request that the record then has.
/// A later time is refused, so that two requests can meet in any order.
pub(super) fn merge_revoke(
    record: &Record,
    revoke: &Revoke,
    intent: &WriteIntent,
) -> Result<Revoke, IllegalTransition> {
    if intent.writer != Writer::Client {
        return Err(IllegalTransition::NotAllowed("a revoke"));
    }
    // A job without a claim is ended instead. A touch would carry the request on to a new revision, and a
    // host that believes the message published after the touch builds its claim without reading the record:
    // the request would be lost.
    if record.attempt == 0 {
        return Err(IllegalTransition::WrongState { transition: "a request to stop", state: record.label() });
    }
    match &record.revoke {
        None => Ok(Revoke { reason: cut_reason(&revoke.reason), stop_at: revoke.stop_at }),
        Some(earlier) if revoke.stop_at < earlier.stop_at => {
            Ok(Revoke { reason: earlier.reason.clone(), stop_at: revoke.stop_at })
        }
        Some(_) => Err(IllegalTransition::Revoked),
    }
}

/// Cuts the reason of a revoke to the bytes that leave room for all other fields of the record.
pub(super) fn cut_reason(reason: &str) -> String {
    truncate(reason, Limits::REASON_BYTES).to_owned()
}
