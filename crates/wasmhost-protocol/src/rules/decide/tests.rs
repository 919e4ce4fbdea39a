//! Every verdict under every circumstance, against a table that states the rule in other words.

use super::*;
use crate::machine::sample::{forged, started};
use crate::outcome::{Fault, Limit};
use crate::record::Revoke;
use crate::timestamp::Timestamp;

fn record(max_attempts: Option<u32>, charged: u32) -> Record {
    forged!(started(), attempt = charged + 1, max_attempts = max_attempts, charged = charged)
}

fn outcome(verdict: Verdict) -> Outcome {
    Outcome::without_run(verdict)
}

/// What follows from a verdict without a revoke, a drain and `retry_on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The job succeeds.
    Success,
    /// The job is tried again while attempts are left. There are this many in all where `max_attempts` is not
    /// set.
    Attempts(u32),
    /// The job fails.
    Never,
    /// The job is tried again without a charge.
    Host,
}

/// The delay that a task asks for.
const ASKED: Duration = Duration::from_secs(7);

/// Returns every verdict with the kind that it fails with and its rule.
fn verdicts() -> Vec<(Verdict, ErrorKind, Rule)> {
    let text = || "why".to_owned();
    let fault = || Fault { message: "why".to_owned(), ..Fault::default() };
    let asked = |after| Verdict::RetryAsked { message: text(), details: None, after };
    let exceeded = |limit, kind| (Verdict::Exceeded(limit, fault()), kind, Rule::Never);
    vec![
        (Verdict::Returned(Json::null()), ErrorKind::HostBug, Rule::Success),
        (Verdict::Failed { message: text(), details: None }, ErrorKind::Failed, Rule::Attempts(1)),
        (asked(None), ErrorKind::Failed, Rule::Attempts(4)),
        (asked(Some(ASKED)), ErrorKind::Failed, Rule::Attempts(4)),
        (Verdict::Permanent { message: text(), details: None }, ErrorKind::Permanent, Rule::Never),
        (Verdict::BadArguments(text()), ErrorKind::BadArguments, Rule::Never),
        (Verdict::UnknownFunction(text()), ErrorKind::UnknownFunction, Rule::Never),
        (Verdict::UnknownModule(text()), ErrorKind::UnknownModule, Rule::Never),
        (Verdict::BadModule(text()), ErrorKind::BadModule, Rule::Never),
        (Verdict::Panicked(fault()), ErrorKind::Panicked, Rule::Attempts(1)),
        (Verdict::Trapped(fault()), ErrorKind::Trapped, Rule::Attempts(1)),
        (Verdict::Exited(fault()), ErrorKind::Exited, Rule::Attempts(1)),
        exceeded(Limit::Memory, ErrorKind::OutOfMemory),
        exceeded(Limit::Cpu, ErrorKind::CpuLimit),
        exceeded(Limit::Wall, ErrorKind::TimedOut),
        exceeded(Limit::Fuel, ErrorKind::OutOfFuel),
        exceeded(Limit::Tables, ErrorKind::LimitExceeded),
        exceeded(Limit::Instances, ErrorKind::LimitExceeded),
        exceeded(Limit::Result, ErrorKind::LimitExceeded),
        (Verdict::Cancelled, ErrorKind::HostBug, Rule::Host),
        (Verdict::ModuleUnavailable(text()), ErrorKind::ModuleUnavailable, Rule::Host),
        (Verdict::HostBug(text()), ErrorKind::HostBug, Rule::Host),
    ]
}

/// The circumstances of one attempt.
#[derive(Debug, Clone, Copy)]
struct Circumstances {
    max_attempts: Option<u32>,
    charged: u32,
    revoked: bool,
    handing_off: bool,
    /// Whether the policy's `retry_on` has the kind.
    is_retried: bool,
    jitter: f64,
}

fn all_circumstances() -> Vec<Circumstances> {
    let mut all = Vec::new();
    for max_attempts in [None, Some(1), Some(3)] {
        for charged in 0..=2 {
            for flags in 0..8_u8 {
                for jitter in [0.0, 1.0] {
                    let [revoked, handing_off, is_retried] = [1, 2, 4].map(|flag| flags & flag != 0);
                    all.push(Circumstances {
                        max_attempts,
                        charged,
                        revoked,
                        handing_off,
                        is_retried,
                        jitter,
                    });
                }
            }
        }
    }
    all
}

fn decide_in(circumstances: &Circumstances, verdict: &Verdict, kind: ErrorKind) -> Decision {
    let mut record = record(circumstances.max_attempts, circumstances.charged);
    record.revoke =
        circumstances.revoked.then(|| Revoke { reason: String::new(), stop_at: Timestamp::from_unix_ms(0) });
    let retry_on = if circumstances.is_retried { vec![kind] } else { Vec::new() };
    let retry = RetryPolicy { retry_on, ..RetryPolicy::default() };
    let attempt = Attempt {
        record: &record,
        retry: &retry,
        handing_off: circumstances.handing_off,
        jitter: circumstances.jitter,
    };
    decide(&attempt, &outcome(verdict.clone()))
}

/// Returns what the rule expects: the state, whether the attempt is charged, and the delay before the jitter.
fn expected(circumstances: &Circumstances, verdict: &Verdict, rule: Rule) -> (&'static str, bool, Duration) {
    let attempts = match rule {
        _ if circumstances.revoked => return ("REVOKED", false, Duration::ZERO),
        Rule::Success => return ("SUCCESS", false, Duration::ZERO),
        Rule::Host if circumstances.handing_off && *verdict == Verdict::Cancelled => {
            return ("RETRY", false, Duration::ZERO);
        }
        Rule::Host => return ("RETRY", false, Duration::from_secs(1)),
        Rule::Never if !circumstances.is_retried => return ("FAILURE", false, Duration::ZERO),
        Rule::Never => circumstances.max_attempts.unwrap_or(1),
        Rule::Attempts(unset) => circumstances.max_attempts.unwrap_or(unset),
    };
    match verdict {
        _ if circumstances.charged + 1 >= attempts => ("FAILURE", false, Duration::ZERO),
        Verdict::RetryAsked { after: Some(after), .. } => ("RETRY", true, *after),
        _ => ("RETRY", true, Duration::from_secs(1 << circumstances.charged)),
    }
}

#[test]
fn every_verdict_is_decided_as_the_rule_says() {
    for (verdict, kind, rule) in verdicts() {
        for circumstances in all_circumstances() {
            let (word, charged, longest) = expected(&circumstances, &verdict, rule);
            let context = format!("{verdict:?} in {circumstances:?}");
            match decide_in(&circumstances, &verdict, kind) {
                Decision::Revoke => assert_eq!(word, "REVOKED", "{context}"),
                Decision::Succeed(result) => {
                    assert_eq!((word, result), ("SUCCESS", Json::null()), "{context}");
                }
                Decision::Fail(error) => assert_eq!((word, error.kind), ("FAILURE", kind), "{context}"),
                Decision::Retry { delay, charge, .. } => {
                    assert_eq!((word, charge), ("RETRY", charged), "{context}");
                    let asked = matches!(verdict, Verdict::RetryAsked { after: Some(_), .. });
                    let full = if asked { longest } else { longest.mul_f64(circumstances.jitter) };
                    assert_eq!(delay, full, "{context}");
                }
            }
        }
    }
}

fn delay_of(decision: Decision) -> Duration {
    match decision {
        Decision::Retry { delay, .. } => delay,
        other @ (Decision::Succeed(_) | Decision::Fail(_) | Decision::Revoke) => panic!("{other:?}"),
    }
}

#[test]
fn no_delay_is_longer_than_a_day_or_the_policys_own_maximum() {
    let asked = |after| Verdict::RetryAsked { message: String::new(), details: None, after };
    let failed = Verdict::Failed { message: String::new(), details: None };
    let policy = |initial_delay, factor, max_delay| RetryPolicy {
        initial_delay,
        factor,
        max_delay,
        ..RetryPolicy::default()
    };
    let second = Duration::from_secs(1);
    let forever = Duration::MAX;
    for (retry, verdict, charged, wanted) in [
        (RetryPolicy::default(), asked(Some(forever)), 0, RetryPolicy::LONGEST_DELAY),
        (RetryPolicy::default(), asked(Some(second * 900)), 0, second * 900),
        (RetryPolicy::default(), failed.clone(), 9, second * 512),
        (RetryPolicy::default(), failed.clone(), 10, second * 600),
        (RetryPolicy::default(), failed.clone(), u32::MAX - 2, second * 600),
        (policy(forever, 2.0, forever), failed.clone(), 3, RetryPolicy::LONGEST_DELAY),
        (policy(second, f64::INFINITY, forever), failed.clone(), 3, RetryPolicy::LONGEST_DELAY),
        (policy(second, f64::NAN, forever), failed.clone(), 3, second),
        (policy(second, 0.5, forever), failed.clone(), 3, second),
        (policy(Duration::ZERO, f64::INFINITY, second), failed, 3, second),
    ] {
        let record = record(Some(u32::MAX), charged);
        let attempt = Attempt { record: &record, retry: &retry, handing_off: false, jitter: 1.0 };
        assert_eq!(delay_of(decide(&attempt, &outcome(verdict.clone()))), wanted, "{verdict:?} {retry:?}");
    }
}

#[test]
fn a_job_that_fails_again_and_again_is_no_hot_loop() {
    let retry =
        RetryPolicy { initial_delay: Duration::ZERO, max_delay: Duration::ZERO, ..RetryPolicy::default() };
    let failed = Verdict::Failed { message: String::new(), details: None };
    let asked =
        Verdict::RetryAsked { message: String::new(), details: None, after: Some(Duration::from_millis(1)) };
    for charged in [9, 10, 11, 100_000] {
        let record = record(Some(u32::MAX), charged);
        let attempt = Attempt { record: &record, retry: &retry, handing_off: false, jitter: 0.0 };
        let delays = [&failed, &asked].map(|verdict| delay_of(decide(&attempt, &outcome(verdict.clone()))));
        let second = Duration::from_secs(1);
        let wanted = if charged < 10 { [Duration::ZERO, Duration::from_millis(1)] } else { [second, second] };
        assert_eq!(delays, wanted, "after {charged}");
    }
}

#[test]
fn the_hosts_own_faults_back_off_and_end_after_ten_retries() {
    let retry = RetryPolicy::default();
    let verdict = outcome(Verdict::ModuleUnavailable("away".to_owned()));
    for attempt in 1..=12 {
        let record = forged!(record(Some(1), 0), attempt = attempt);
        let decision =
            decide(&Attempt { record: &record, retry: &retry, handing_off: false, jitter: 1.0 }, &verdict);
        if attempt <= 10 {
            assert_eq!(delay_of(decision), Duration::from_secs(1 << (attempt - 1)), "attempt {attempt}");
        } else {
            assert!(matches!(decision, Decision::Fail(_)), "attempt {attempt}: {decision:?}");
        }
    }
}

#[test]
fn a_failure_keeps_what_the_guest_said_within_its_limits() {
    let long = |word: &str| {
        format!("first {word}\n{}last {word}\u{9b}2J\u{202e}", "é\u{1b}\n".repeat(Limits::ERROR_TEXT_BYTES))
    };
    let fault = Fault { message: long("message"), backtrace: Some(long("frame")) };
    let record = record(None, 0);
    let retry = RetryPolicy::default();
    let attempt = Attempt { record: &record, retry: &retry, handing_off: false, jitter: 0.0 };
    let outcome_of = |verdict| Outcome { stderr: Some(long("line")), ..outcome(verdict) };
    let Decision::Fail(error) = decide(&attempt, &outcome_of(Verdict::Trapped(fault))) else {
        panic!("a trap ends the job where nothing is set")
    };
    assert!(!error.retryable);
    let texts =
        [(error.message, "message"), (error.backtrace.unwrap(), "frame"), (error.stderr.unwrap(), "line")];
    for (text, word) in texts {
        assert!(text.len() <= Limits::ERROR_TEXT_BYTES, "{}", text.len());
        assert!(text.starts_with(&format!("first {word}\né\\u{{1b}}\n")), "{text}");
        assert!(text.ends_with(&format!("\nlast {word}\\u{{9b}}2J\\u{{202e}}")), "{text}");
        assert!(text.contains("s left out …\n"), "{text}");
    }

    let details = Some(Json::encode(&serde_json::json!({ "code": 7 })).unwrap());
    let failed = Verdict::Failed { message: "no".to_owned(), details: details.clone() };
    let failed = Outcome { stderr: Some("last words".to_owned()), ..outcome(failed) };
    let Decision::Fail(error) = decide(&attempt, &failed) else { panic!("an error ends the job") };
    assert_eq!((error.message.as_str(), error.details), ("no", details));
    assert_eq!(
        error.stderr.as_deref(),
        Some("last words"),
        "a task that returns an error has last words too"
    );
}
