//! Captures that lack something: no job is accused, and nothing is proven.

use serde_json::json;
use wasmhost_audit::{Capture, Entry, Gap, Marker, Span, Verdict, check};

use super::{KEY, recorded, running, succeeded};
use crate::builder::{Run, key};
use crate::clean::clean;

/// A name, a capture that lacks something, and the gap that the report has to name.
type Missing = (&'static str, fn() -> Capture, Gap);

#[test]
fn what_was_missed_is_named() {
    let job = || key(KEY);
    let cases: [Missing; 9] = [
        ("no recorder", || without_span(), Gap::NoSpan),
        ("the newest revision", || span(1, 99), Gap::Unseen { first: 29, last: 99 }),
        ("a revision in the middle", || without(12), Gap::Unseen { first: 12, last: 12 }),
        ("the bucket began anew", || span(40, 20), Gap::Restarted { first: 40, last: 20 }),
        ("no job was accepted", || Run::new().finish(), Gap::Nothing),
        ("nobody waited for the end", not_idle, Gap::NotIdle { key: job() }),
        ("a record of a newer version", newer, unchecked(30, "a record of version 2")),
        ("a revision without anything", empty, unchecked(30, "neither a record nor a delete marker")),
        ("a result that may have expired", expired, Gap::Expired { key: job() }),
    ];
    for (name, capture, gap) in cases {
        let report = check(&capture());
        assert_eq!(report.violations, [], "{name}");
        assert!(report.gaps.contains(&gap), "{name}: {report}");
        let Verdict::NotProven(why) = &report.verdict else { panic!("{name}: {report}") };
        assert!(why.contains(&report.gaps[0].to_string()), "{name}: {why}");
    }
}

#[test]
fn what_was_read_later_closes_a_gap() {
    let mut capture = clean().finish();
    for entry in &mut capture.entries {
        if let Entry::Revision(revision) = entry {
            revision.previous = None;
        }
    }
    let report = check(&capture);
    assert_eq!(report.verdict, Verdict::Proven, "{report}");
}

#[test]
fn the_marker_of_a_job_from_before_the_recorder_is_no_gap() {
    let mut run = clean();
    let mut job = recorded(&mut run);
    run.delete(&mut job, Marker::MaxAge);
    let mut capture = run.finish();
    capture.entries.retain(|entry| !matches!(entry, Entry::Revision(revision) if revision.revision < 30));
    for entry in &mut capture.entries {
        if let Entry::Span(span) = entry {
            span.first = 30;
        }
    }
    let report = check(&capture);
    assert!(report.gaps.iter().all(|gap| !matches!(gap, Gap::Revision { .. })), "{report}");
}

fn unchecked(revision: u64, why: &str) -> Gap {
    Gap::Unchecked { key: key(KEY), revision, why: why.to_owned() }
}

fn without_span() -> Capture {
    Capture { entries: clean().entries }
}

fn span(first: u64, last: u64) -> Capture {
    let mut run = clean();
    run.note(Entry::Span(Span { first, last }));
    Capture { entries: run.entries }
}

fn without(number: u64) -> Capture {
    let mut capture = clean().finish();
    capture
        .entries
        .retain(|entry| !matches!(entry, Entry::Revision(revision) if revision.revision == number));
    capture
}

fn not_idle() -> Capture {
    let mut run = clean();
    run.entries.retain(|entry| !matches!(entry, Entry::Quiet(_)));
    let job = running(&mut run);
    run.accept(&job);
    run.finish()
}

fn newer() -> Capture {
    let mut run = clean();
    let mut job = recorded(&mut run);
    job.set("v", json!(2));
    run.store(&mut job);
    run.finish()
}

fn empty() -> Capture {
    let mut run = clean();
    let mut job = recorded(&mut run);
    run.store(&mut job);
    if let Some(Entry::Revision(last)) = run.entries.last_mut() {
        last.record = json!(null);
    }
    run.finish()
}

fn expired() -> Capture {
    let mut run = clean();
    let mut job = succeeded(&mut run);
    run.delete(&mut job, Marker::MaxAge);
    run.result(&job, false);
    if let Some(Entry::Result(read)) = run.entries.last_mut() {
        read.at = None;
    }
    run.finish()
}
