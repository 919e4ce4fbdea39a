//! A record in words: one line for a transition, several for a status. Everything that came from outside is escaped.

use wasmhost_protocol::duration::format_duration;
use wasmhost_protocol::json::Json;
use wasmhost_protocol::record::{End, JobError, JobState, Payload, Record, RunningLabel, Usage};
use wasmhost_protocol::text::{escape, format_size_rounded, truncate};

use super::table;

/// The most bytes of a JSON text in a line for people.
const JSON_BYTES: usize = 400;

/// A transition on one line: its time, its state, and what matters in this state.
pub(crate) fn transition(record: &Record) -> String {
    let state = record.label();
    let line = format!("{} {:<10} {}", record.updated_at, state.as_str(), detail(record));
    line.trim_end().to_owned()
}

/// Everything that a person wants to know of a job, a line for each fact.
pub(crate) fn status(record: &Record) -> String {
    let attempts = record.max_attempts.map(|max| format!(" of {max}")).unwrap_or_default();
    let mut rows = vec![
        ("state", record.label().to_string()),
        ("queue", record.queue.to_string()),
        ("attempt", format!("{}{attempts}", record.attempt)),
        ("submitted", record.submitted_at.to_string()),
    ];
    let mut add = |name: &'static str, value: Option<String>| rows.extend(value.map(|value| (name, value)));
    add("host", record.host.as_ref().map(ToString::to_string));
    add("started", record.started_at.map(|at| at.to_string()));
    add("updated", Some(record.updated_at.to_string()));
    add("expires", record.expires_at.map(|at| at.to_string()));
    add("digest", record.digest.as_ref().map(ToString::to_string));
    add("parent", record.parent.as_ref().map(ToString::to_string));
    add("meta", record.meta.as_ref().map(json));
    add_state(&record.state, &mut add);
    add(
        "revoke",
        record.revoke.as_ref().map(|revoke| format!("{} (by {})", escape(&revoke.reason), revoke.stop_at)),
    );
    add("denied", (!record.denied.is_empty()).then(|| escape(&record.denied.join(", "))));
    add("used", record.usage.as_ref().map(usage));
    format!("{}\n{}", record.key(), table::pairs(&rows))
}

/// What an attempt used.
pub(crate) fn usage(usage: &Usage) -> String {
    let peak = format_size_rounded(usage.memory_peak_bytes);
    format!("{} ms CPU, {peak} memory, {} ms in all", usage.cpu_ms, usage.wall_ms)
}

/// What a table says beside the state: when a scheduled job is due, else the meta.
pub(crate) fn remark(record: &Record) -> String {
    match record.state {
        JobState::Pending { not_before: Some(at) } => format!("due {at}"),
        JobState::Pending { not_before: None }
        | JobState::Running(_)
        | JobState::Retry { .. }
        | JobState::Ended { .. } => record.meta.as_ref().map(json).unwrap_or_default(),
    }
}

/// Why a job failed. There are several lines where more is known than the message.
pub(crate) fn failure(error: &JobError) -> String {
    let mut lines = error.message.lines();
    let mut text = format!("{}: {}", error.kind.as_str(), escape(lines.next().unwrap_or_default()));
    lines.for_each(|line| text.push_str(&format!("\n  {}", escape(line))));
    if let Some(beyond) = beyond_message(error) {
        text.push_str(&format!("\n{beyond}"));
    }
    text
}

/// What is known beyond the message: first what the guest itself said, then where it was.
pub(crate) fn beyond_message(error: &JobError) -> Option<String> {
    let details = error.details.as_ref().map(|details| vec![format!("  details: {}", json(details))]);
    let stderr = error.stderr.as_ref().map(|text| headed("  stderr:", text));
    let backtrace = error.backtrace.as_ref().map(|text| headed("  backtrace:", text));
    let lines: Vec<_> = [details, stderr, backtrace].into_iter().flatten().flatten().collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn headed(heading: &str, text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| format!("    {}", escape(line)));
    std::iter::once(heading.to_owned()).chain(lines).collect()
}

/// JSON on one line, cut where it is long.
pub(crate) fn json(json: &Json) -> String {
    let text = escape(json.as_str());
    let cut = truncate(&text, JSON_BYTES);
    if cut.len() < text.len() { format!("{cut}…") } else { text }
}

/// What matters of a record in its state.
fn detail(record: &Record) -> String {
    let meta = || record.meta.as_ref().map(json).unwrap_or_default();
    match &record.state {
        JobState::Pending { not_before: Some(at) } => format!("queue {}, due {at}", record.queue),
        JobState::Pending { not_before: None } => format!("queue {}", record.queue),
        JobState::Running(RunningLabel::Custom(_)) => meta(),
        JobState::Running(RunningLabel::Pending | RunningLabel::Started) => {
            let host = record.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
            format!("attempt {}{host} {}", record.attempt, meta())
        }
        JobState::Retry { not_before } => {
            let wait = format_duration(not_before.since(record.updated_at));
            format!("attempt {} ended, the next one in {wait} {}", record.attempt, meta())
        }
        JobState::Ended { end: End::Success(Payload::Inline(result)), .. } => json(result),
        JobState::Ended { end: End::Success(Payload::Blob(blob)), .. } => {
            format!("a result of {}: see `wasmhost result`", format_size_rounded(blob.bytes))
        }
        JobState::Ended { end: End::Failure(error), .. } => {
            format!("{}: {}", error.kind.as_str(), escape(&error.message))
        }
        JobState::Ended { end: End::Revoked, .. } => {
            record.revoke.as_ref().map(|revoke| escape(&revoke.reason)).unwrap_or_default()
        }
    }
}

/// Adds what only some states have.
fn add_state(state: &JobState, add: &mut impl FnMut(&'static str, Option<String>)) {
    match state {
        JobState::Pending { not_before } => add("due", not_before.map(|at| at.to_string())),
        JobState::Running(_) => {}
        JobState::Retry { not_before } => add("next attempt", Some(not_before.to_string())),
        JobState::Ended { end, finished_at } => {
            add("finished", Some(finished_at.to_string()));
            match end {
                End::Success(Payload::Inline(result)) => add("result", Some(json(result))),
                End::Success(Payload::Blob(blob)) => {
                    add(
                        "result",
                        Some(format!("{}: see `wasmhost result`", format_size_rounded(blob.bytes))),
                    );
                }
                End::Failure(error) => add("error", Some(failure(error))),
                End::Revoked => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmhost_protocol::record::ErrorKind;

    use super::*;

    #[test]
    fn a_failure_shows_what_the_guest_said_before_where_it_stood() {
        let error = JobError {
            details: Some(Json::parse(r#"{"code":7}"#).unwrap()),
            backtrace: Some("inner\nouter".to_owned()),
            stderr: Some("reading\nthread '\u{1b}[31m' panicked".to_owned()),
            ..JobError::new(ErrorKind::Panicked, "bad luck\ntwice (a.rs:1:2)")
        };
        let wanted = "Panicked: bad luck\n  twice (a.rs:1:2)\n  details: {\"code\":7}\n  stderr:\n    reading\n    thread \
                      '\\u{1b}[31m' panicked\n  backtrace:\n    inner\n    outer";
        assert_eq!(failure(&error), wanted);
        assert_eq!(failure(&JobError::new(ErrorKind::Failed, "no")), "Failed: no");
    }
}
