//! Decides what follows from the outcome of an attempt. No other code knows about retries
//! ([R8](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r8)).

use std::time::Duration;

use crate::json::Json;
use crate::outcome::{Outcome, Verdict};
use crate::policy::{Limits, RetryPolicy};
use crate::record::{ErrorKind, JobError, Record};
use crate::text::{cut_middle, escape_lines};

/// An `Attempt` is what [`decide`] knows of an attempt, apart from its outcome.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The newest revision of the record that the attempt's owner has accepted.
    pub record: &'a Record,
    /// The retry policy of the module's version.
    pub retry: &'a RetryPolicy,
    /// Whether the host hands its jobs off, because the grace period of its drain is over.
    pub handing_off: bool,
    /// A random number from 0.0 to 1.0, by which the delay is multiplied.
    pub jitter: f64,
}

/// A `Decision` is what the owner of an attempt records.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The owner records SUCCESS with this result.
    Succeed(Json),
    /// The owner records FAILURE with this error.
    Fail(JobError),
    /// The owner records RETRY, and another attempt follows after a delay.
    Retry {
        /// Why another attempt follows, for people.
        reason: String,
        /// How long the next attempt waits.
        delay: Duration,
        /// Whether the attempt counts against `max_attempts`.
        charge: bool,
    },
    /// The owner records REVOKED.
    Revoke,
}

/// Decides what the owner of an attempt records.
#[must_use]
pub fn decide(attempt: &Attempt<'_>, outcome: &Outcome) -> Decision {
    // A client that revoked the job was promised REVOKED, whatever the guest returned.
    if attempt.record.revoke.is_some() {
        return Decision::Revoke;
    }
    let error = match outcome.verdict.result() {
        Ok(result) => return Decision::Succeed(result.clone()),
        Err(error) => fit_for_record(error, outcome),
    };
    if attempt.handing_off && outcome.verdict == Verdict::Cancelled {
        return hand_off();
    }
    if let Verdict::RetryAsked { after, .. } = &outcome.verdict {
        let max = attempt.record.max_attempts.unwrap_or(RetryPolicy::ASKED_ATTEMPTS);
        return retry_while_attempts_left(attempt, max, error, *after);
    }
    match classify(error.kind, attempt.retry) {
        FailureClass::Final => Decision::Fail(error),
        FailureClass::HostFault if attempt.record.uncharged() > RetryPolicy::UNCHARGED_ATTEMPTS => {
            Decision::Fail(error)
        }
        FailureClass::HostFault => retry(attempt, &error.message, None, false),
        FailureClass::Counted => {
            let max = attempt.record.max_attempts.unwrap_or(1);
            retry_while_attempts_left(attempt, max, error, None)
        }
    }
}

/// How a kind of failure is treated.
enum FailureClass {
    /// The failure ends the job.
    Final,
    /// The job is tried again while attempts are left, and the attempt is charged.
    Counted,
    /// The failure is not the job's fault. The job is tried again without a charge, but not for ever: a job
    /// that no host can run must end some day.
    HostFault,
}

fn classify(kind: ErrorKind, retry: &RetryPolicy) -> FailureClass {
    match kind {
        ErrorKind::Failed | ErrorKind::Panicked | ErrorKind::Trapped | ErrorKind::Exited => {
            FailureClass::Counted
        }
        ErrorKind::ModuleUnavailable | ErrorKind::HostBug => FailureClass::HostFault,
        // The policy is asked after the kinds above: it can neither charge a job for its host's fault nor
        // change what is tried again anyway.
        kind if retry.retry_on.contains(&kind) => FailureClass::Counted,
        ErrorKind::Permanent
        | ErrorKind::BadArguments
        | ErrorKind::BadJob
        | ErrorKind::UnknownModule
        | ErrorKind::UnknownFunction
        | ErrorKind::BadModule
        | ErrorKind::OutOfMemory
        | ErrorKind::CpuLimit
        | ErrorKind::TimedOut
        | ErrorKind::OutOfFuel
        | ErrorKind::LimitExceeded
        | ErrorKind::WorkerLost
        | ErrorKind::Poison
        | ErrorKind::Lost
        | ErrorKind::NotPublished
        | ErrorKind::Exhausted => FailureClass::Final,
    }
}

/// Returns the decision for an attempt that its host stopped to hand it off. The next host goes on at once, and the
/// attempt is not charged: a deployment that restarts every host must not cost attempts.
fn hand_off() -> Decision {
    Decision::Retry { reason: "handoff".to_owned(), delay: Duration::ZERO, charge: false }
}

/// Decides about an attempt that is charged. `after` is the delay that the task asked for.
fn retry_while_attempts_left(
    attempt: &Attempt<'_>,
    max: u32,
    mut error: JobError,
    after: Option<Duration>,
) -> Decision {
    if attempt.record.charged + 1 < max {
        return retry(attempt, &error.message, after, true);
    }
    error.retryable = max > 1;
    Decision::Fail(error)
}

/// Returns a retry after the delay that the task asked for, else after the policy's.
fn retry(attempt: &Attempt<'_>, reason: &str, after: Option<Duration>, charge: bool) -> Decision {
    let asked = after.unwrap_or_else(|| backoff(attempt, charge));
    let delay = asked.max(shortest_delay(attempt.record)).min(RetryPolicy::LONGEST_DELAY);
    Decision::Retry { reason: reason.to_owned(), delay, charge }
}

/// Returns the shortest delay of the next attempt. The first attempts may follow at once, but a job that
/// fails again and again must not become a loop that keeps a host and the server busy.
fn shortest_delay(record: &Record) -> Duration {
    if record.attempt <= RetryPolicy::AT_ONCE_ATTEMPTS { Duration::ZERO } else { RetryPolicy::SHORTEST_DELAY }
}

/// Returns the policy's delay. It grows by the factor with each attempt of the same sort that ended before,
/// charged or not, up to the policy's maximum, and is then multiplied by the jitter.
fn backoff(attempt: &Attempt<'_>, charge: bool) -> Duration {
    let record = attempt.record;
    let policy = attempt.retry;
    // `charged` does not count the attempt that has just ended, and `uncharged` does.
    let earlier = if charge { record.charged } else { record.uncharged().saturating_sub(1) };
    // A stored policy may be from before there were bounds: `max` takes a factor that is not a number as 1.
    // The exponent is bounded, so that the power of a factor within its bounds stays finite.
    let full = policy.initial_delay.as_secs_f64() * policy.factor.max(1.0).powf(f64::from(earlier.min(64)));
    let longest = policy.max_delay.min(RetryPolicy::LONGEST_DELAY).as_secs_f64();
    Duration::from_secs_f64(full.min(longest) * attempt.jitter.clamp(0.0, 1.0))
}

/// Escapes and cuts the texts of an error to what a record may have. Each text has a limit of its own, so
/// that a long backtrace takes nothing from the guest's last words.
fn fit_for_record(mut error: JobError, outcome: &Outcome) -> JobError {
    error.message = fit_text(&error.message, "lines");
    error.backtrace = error.backtrace.as_deref().map(|text| fit_text(text, "frames"));
    error.stderr = outcome.stderr.as_deref().map(|text| fit_text(text, "lines"));
    error
}

fn fit_text(text: &str, what: &str) -> String {
    cut_middle(&escape_lines(text), Limits::ERROR_TEXT_BYTES, what)
}

#[cfg(test)]
mod tests;
