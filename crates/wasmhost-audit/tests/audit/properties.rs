//! Any run that keeps the protocol is proven when all of it was seen. When something was missed, it is never proven, and no
//! job is accused.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use wasmhost_audit::{Capture, Entry, Marker, Verdict, check};

use crate::builder::{Job, Run};

/// What happens next to a job, if its state allows it.
#[derive(Debug, Clone, Copy)]
enum Act {
    Touch,
    Claim,
    LoseHost,
    Progress,
    Retry,
    AskToStop,
    End,
    Expire,
}

const ACTS: [Act; 8] =
    [Act::Touch, Act::Claim, Act::LoseHost, Act::Progress, Act::Retry, Act::AskToStop, Act::End, Act::Expire];

/// What happens to several jobs, each time with the number of the job.
fn acts() -> impl Strategy<Value = Vec<(usize, Act)>> {
    vec((0..4_usize, prop::sample::select(ACTS.as_slice())), 1..60)
}

/// A run in which the protocol is kept and every job ends.
fn run_of(acts: &[(usize, Act)]) -> Capture {
    let mut run = Run::new();
    let mut jobs: Vec<Job> = (0..4).map(|number| Job::new(&format!("work.run.{number}"))).collect();
    for job in &mut jobs {
        run.store(job);
        run.accept(job);
    }
    for (number, act) in acts {
        happen(&mut run, &mut jobs[*number], *act);
    }
    for job in &mut jobs {
        for act in [Act::Claim, Act::End] {
            happen(&mut run, job, act);
        }
    }
    run.quiet();
    run.finish()
}

fn happen(run: &mut Run, job: &mut Job, act: Act) {
    let state = job.record["state"].as_str().expect("a state").to_owned();
    let revoked = !job.record["revoke"].is_null();
    let running = matches!(state.as_str(), "STARTED" | "PROGRESS");
    match act {
        Act::Touch if state == "PENDING" && !revoked => drop(run.store(job)),
        Act::Claim if matches!(state.as_str(), "PENDING" | "RETRY") && !revoked => {
            run.wait(30);
            run.claim(job);
        }
        Act::LoseHost if running && !revoked => {
            run.fault("kill");
            job.set("lost", json!(job.record["lost"].as_u64().expect("a number") + 1));
            run.claim(job);
        }
        Act::Progress if running && !revoked => drop(run.end(job, "PROGRESS")),
        Act::Retry if running && !revoked => {
            job.set("charged", json!(job.record["charged"].as_u64().expect("a number") + 1));
            job.set("not_before", json!(run.in_seconds(20)));
            run.end(job, "RETRY");
        }
        Act::AskToStop if running && !revoked => {
            job.set("revoke", json!({"reason": "enough", "stop_at": run.in_seconds(5)}));
            run.store(job);
        }
        Act::End if running => end(run, job, revoked),
        Act::Expire if matches!(state.as_str(), "SUCCESS" | "REVOKED") => {
            run.delete(job, Marker::MaxAge);
            *job = job.again();
            run.store(job);
        }
        _ => {}
    }
}

fn end(run: &mut Run, job: &mut Job, revoked: bool) {
    let state = if revoked { "REVOKED" } else { "SUCCESS" };
    run.end(job, state);
    run.answer_revoke(job, state);
    run.result(job, !revoked);
}

/// The capture without the entries that `dropped` selects from those of this kind.
fn without(capture: &Capture, dropped: &[Index], kind: fn(&Entry) -> bool) -> Capture {
    let of_kind: Vec<_> = (0..capture.entries.len()).filter(|at| kind(&capture.entries[*at])).collect();
    let gone: Vec<_> = dropped.iter().map(|index| *index.get(&of_kind)).collect();
    let entries = capture.entries.iter().enumerate().filter(|(at, _)| !gone.contains(at));
    Capture { entries: entries.map(|(_, entry)| entry.clone()).collect() }
}

fn is_revision(entry: &Entry) -> bool {
    matches!(entry, Entry::Revision(_))
}

/// Whether the entry may be lost without a gap: a guest's log line, or what a client saw.
fn is_testimony(entry: &Entry) -> bool {
    matches!(entry, Entry::Effect(_) | Entry::Result(_) | Entry::Revoke(_) | Entry::Submit(_))
}

proptest! {
    #[test]
    fn a_run_that_keeps_the_protocol_is_proven(acts in acts()) {
        let report = check(&run_of(&acts));
        prop_assert_eq!(&report.verdict, &Verdict::Proven, "{}", report);
    }

    #[test]
    fn with_any_revision_missing_nothing_is_proven_and_nobody_accused(
        acts in acts(),
        dropped in vec(any::<Index>(), 1..4),
    ) {
        let report = check(&without(&run_of(&acts), &dropped, is_revision));
        prop_assert!(matches!(report.verdict, Verdict::NotProven(_)), "{}", report);
    }

    #[test]
    fn what_was_read_from_the_bucket_accuses_nobody_either(
        acts in acts(),
        dropped in vec(any::<Index>(), 1..4),
        read in vec(any::<bool>(), 200),
    ) {
        let mut capture = without(&run_of(&acts), &dropped, is_revision);
        for (entry, read) in capture.entries.iter_mut().zip(read.into_iter().cycle()) {
            if let (Entry::Revision(revision), true) = (entry, read) {
                revision.previous = None;
            }
        }
        let report = check(&capture);
        prop_assert!(matches!(report.verdict, Verdict::NotProven(_)), "{}", report);
    }

    #[test]
    fn without_a_recorders_word_nothing_is_proven_and_nobody_accused(
        acts in acts(),
        dropped in vec(any::<Index>(), 0..4),
    ) {
        let mut capture = without(&run_of(&acts), &dropped, is_revision);
        capture.entries.retain(|entry| !matches!(entry, Entry::Span(_)));
        let report = check(&capture);
        prop_assert!(matches!(report.verdict, Verdict::NotProven(_)), "{}", report);
    }

    #[test]
    fn missing_testimony_accuses_nobody(acts in acts(), dropped in vec(any::<Index>(), 1..8)) {
        let report = check(&without(&run_of(&acts), &dropped, is_testimony));
        prop_assert_eq!(&report.violations, &[], "{}", report);
    }

    #[test]
    fn whatever_a_record_says_the_auditor_checks_it(record in value(), at in any::<Index>()) {
        let mut capture = run_of(&[]);
        let revisions: Vec<_> = (0..capture.entries.len()).filter(|at| is_revision(&capture.entries[*at])).collect();
        if let Entry::Revision(revision) = &mut capture.entries[*at.get(&revisions)] {
            revision.record = record;
        }
        prop_assert_ne!(check(&capture).verdict, Verdict::Proven);
    }
}

/// A value that resembles a record, with fields of any type and size.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!("SUCCESS")),
        Just(json!("2026-01-31T12:00:00Z")),
        any::<u64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(|number| json!(number)),
        Just(json!({"stop_at": "9999-12-31T23:59:59Z", "kind": "Failed"})),
    ];
    let fields = [
        "state",
        "attempt",
        "token",
        "write",
        "lost",
        "charged",
        "max_attempts",
        "revoke",
        "not_before",
        "after",
        "error",
    ];
    vec(leaf, fields.len()).prop_map(move |values| {
        let mut record = json!({"v": 1, "task": "work.run", "id": "0"});
        for (field, value) in fields.iter().zip(values) {
            record[*field] = value;
        }
        record
    })
}
