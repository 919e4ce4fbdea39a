//! Faults on purpose, for tests: points between two writes at which the process dies, and switches that turn one rule
//! of the protocol off. They exist only in builds with the feature `faults`, and do nothing in all others.

use wasmhost_protocol::record::{Record, StoredEntry, Token};

/// Reads from the environment which faults happen, as in `FAILPOINTS=after-claim=1*return;…`. Call it once, when the
/// process starts.
pub fn arm() {
    // Dropping the scenario would disarm it.
    #[cfg(feature = "faults")]
    std::mem::forget(fail::FailScenario::setup());
}

/// A point between two writes. Where it is armed, the process ends here as by `kill -9`, or with `return(pause)` stops
/// as by `kill -STOP`.
pub fn point(name: &str) {
    #[cfg(feature = "faults")]
    match fail::eval(name, |what| what) {
        None => {}
        Some(Some(what)) if what == "pause" => pause(),
        Some(_) => std::process::abort(),
    }
    #[cfg(not(feature = "faults"))]
    let _ = name;
}

/// Stops the process until somebody lets it go on.
#[cfg(feature = "faults")]
fn pause() {
    use rustix::process::{Signal, getpid, kill_process};
    kill_process(getpid(), Signal::STOP).expect("a process may stop itself");
}

/// How far this process's clock is ahead of the machine's, in milliseconds: `FAILPOINTS=clock=return(5000)`.
pub(crate) fn clock_ahead_ms() -> i64 {
    #[cfg(feature = "faults")]
    return fail::eval("clock", |ahead| ahead.and_then(|ms| ms.parse().ok())).flatten().unwrap_or(0);
    #[cfg(not(feature = "faults"))]
    0
}

/// How long a result outlives its record, if a test sets it in milliseconds: `FAILPOINTS=result-margin=return(1000)`.
#[must_use]
pub fn result_margin() -> Option<std::time::Duration> {
    #[cfg(feature = "faults")]
    return fail::eval("result-margin", |margin| margin.and_then(|ms| ms.parse().ok()))
        .flatten()
        .map(std::time::Duration::from_millis);
    #[cfg(not(feature = "faults"))]
    None
}

/// Whether records are written without a comparison and leases are never refreshed, as by a queue that knows no fence.
#[must_use]
pub fn is_naive_writer() -> bool {
    is_broken("naive-writer")
}

/// Whether deliveries are acknowledged before the ends of their jobs are recorded.
#[must_use]
pub fn acks_before_record() -> bool {
    is_broken("ack-before-record")
}

/// The revision to write over, where an owner writes over an end that others wrote under its claim.
pub(crate) fn writes_over_end(stored: &StoredEntry, token: Token) -> Option<u64> {
    let ended = stored.record().filter(|record| record.is_terminal() && record.token == Some(token));
    ended.is_some_and(|_| is_broken("r5-over-terminal")).then(|| stored.expected())
}

/// Whether this rule of the protocol is switched off.
fn is_broken(rule: &str) -> bool {
    #[cfg(feature = "faults")]
    return fail::eval(rule, |_| ()).is_some();
    #[cfg(not(feature = "faults"))]
    {
        let _ = rule;
        false
    }
}

/// The claim as it is, or without a new token where the rule is switched off that an adoption needs one. It then has
/// the token of the claim before, and fences nobody.
#[must_use]
pub fn without_new_fence(claim: Box<Record>, stored: &StoredEntry) -> Box<Record> {
    #[cfg(feature = "faults")]
    if let StoredEntry::Record { record: before, .. } = stored
        && let Some(token) = before.token
        && is_broken("no-fence-at-adoption")
    {
        // By its text: a record's fields change only through the state machine, which makes no such claim.
        let text = String::from_utf8(claim.to_bytes()).expect("JSON is UTF-8");
        let own = claim.token.expect("a claim has a token").to_string();
        let forged = Record::from_bytes(text.replace(&own, &token.to_string()).as_bytes());
        return Box::new(forged.expect("one token is written as another"));
    }
    let _ = stored;
    claim
}
