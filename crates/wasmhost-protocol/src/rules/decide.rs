//! What follows from an outcome: the only place that knows about retries (R8).

use std::time::Duration;

use crate::json::Json;
use crate::outcome::{Outcome, Verdict};
use crate::policy::{Limits, RetryPolicy};
use crate::record::{ErrorKind, JobError, Record};
use crate::text::{cut_middle, escape_lines};

/// What `decide` needs to know of the attempt.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The record as the attempt's owner holds it.
    pub record: &'a Record,
    /// The module's retry policy.
    pub retry: &'a RetryPolicy,
    /// Whether the attempt was stopped because the host drains.
    pub draining: bool,
    /// A random number in 0.0..1.0 for the jitter.
    pub jitter: f64,
}

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// SUCCESS.
    Succeed(Json),
    /// FAILURE.
    Fail(JobError),
    /// RETRY after a delay.
    Retry {
        /// Why, for people.
        reason: String,
        /// How long to wait.
        delay: Duration,
        /// Whether the attempt counts against `max_attempts`.
        charge: bool,
    },
    /// REVOKED.
    Revoke,
}

/// What follows from `outcome`.
#[must_use]
pub fn decide(attempt: &Attempt<'_>, outcome: &Outcome) -> Decision {
    if attempt.record.revoke.is_some() {
        return Decision::Revoke;
    }
    let error = match outcome.verdict.result() {
        Ok(result) => return Decision::Succeed(result.clone()),
        Err(error) => recorded(error, outcome),
    };
    if attempt.draining && outcome.verdict == Verdict::Cancelled {
        return hand_off();
    }
    if let Verdict::RetryAsked { after, .. } = &outcome.verdict {
        let max = attempt.record.max_attempts.unwrap_or(RetryPolicy::ASKED_ATTEMPTS);
        return counted(attempt, max, error, *after);
    }
    match class(error.kind, attempt.retry) {
        Class::Final => Decision::Fail(error),
        Class::HostFault if attempt.record.uncharged() > RetryPolicy::UNCHARGED_ATTEMPTS => {
            Decision::Fail(error)
        }
        Class::HostFault => retry(attempt, &error.message, None, false),
        Class::Counted => {
            let max = attempt.record.max_attempts.unwrap_or(1);
            counted(attempt, max, error, None)
        }
    }
}

enum Class {
    /// Never tried again.
    Final,
    /// Tried again while attempts are left.
    Counted,
    /// Not the job's fault: tried again without a charge, but not for ever.
    HostFault,
}

fn class(kind: ErrorKind, retry: &RetryPolicy) -> Class {
    match kind {
        ErrorKind::Failed | ErrorKind::Panicked | ErrorKind::Trapped | ErrorKind::Exited => Class::Counted,
        ErrorKind::ModuleUnavailable | ErrorKind::HostBug => Class::HostFault,
        kind if retry.retry_on.contains(&kind) => Class::Counted,
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
        | ErrorKind::Exhausted => Class::Final,
    }
}

fn hand_off() -> Decision {
    Decision::Retry { reason: "handoff".to_owned(), delay: Duration::ZERO, charge: false }
}

fn counted(attempt: &Attempt<'_>, max: u32, mut error: JobError, after: Option<Duration>) -> Decision {
    if attempt.record.charged + 1 < max {
        return retry(attempt, &error.message, after, true);
    }
    error.retryable = max > 1;
    Decision::Fail(error)
}

/// The guest's own delay wins; else exponential with a factor, a maximum and full jitter.
fn retry(attempt: &Attempt<'_>, reason: &str, after: Option<Duration>, charge: bool) -> Decision {
    let asked = after.unwrap_or_else(|| backoff(attempt, charge));
    let delay = asked.max(shortest_delay(attempt.record)).min(RetryPolicy::LONGEST_DELAY);
    Decision::Retry { reason: reason.to_owned(), delay, charge }
}

/// None for the first attempts: a task may ask to be tried again at once.
fn shortest_delay(record: &Record) -> Duration {
    if record.attempt <= RetryPolicy::AT_ONCE_ATTEMPTS { Duration::ZERO } else { RetryPolicy::SHORTEST_DELAY }
}

/// Grows with the attempts of the same sort that ended before: the job's own failures, or the host's.
fn backoff(attempt: &Attempt<'_>, charge: bool) -> Duration {
    let record = attempt.record;
    let policy = attempt.retry;
    let earlier = if charge { record.charged } else { record.uncharged().saturating_sub(1) };
    let full = policy.initial_delay.as_secs_f64() * policy.factor.max(1.0).powf(f64::from(earlier.min(64)));
    let longest = policy.max_delay.min(RetryPolicy::LONGEST_DELAY).as_secs_f64();
    Duration::from_secs_f64(full.min(longest) * attempt.jitter.clamp(0.0, 1.0))
}

/// The error as a record keeps it. Each text has room of its own: a long backtrace takes nothing from the guest's last words.
fn recorded(mut error: JobError, outcome: &Outcome) -> JobError {
    error.message = kept(&error.message, "lines");
    error.backtrace = error.backtrace.as_deref().map(|text| kept(text, "frames"));
    error.stderr = outcome.stderr.as_deref().map(|text| kept(text, "lines"));
    error
}

/// A text of a guest's as records have it.
fn kept(text: &str, what: &str) -> String {
    cut_middle(&escape_lines(text), Limits::ERROR_TEXT_BYTES, what)
}

#[cfg(test)]
mod tests;
