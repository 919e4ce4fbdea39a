//! Captures of runs in which every promise was kept.

use serde_json::{Value, json};
use wasmhost_audit::{Capture, Entry, Marker, Verdict, check};

use crate::builder::{Job, Run};

/// A run with every kind of history that the protocol allows, and with the faults that explain them.
pub(crate) fn clean() -> Run {
    let mut run = Run::new();
    straight(&mut run);
    retried(&mut run);
    taken_over(&mut run);
    revoked_while_running(&mut run);
    revoked_while_queued(&mut run);
    used_again(&mut run);
    given_up(&mut run);
    run.quiet();
    run
}

/// A job that is submitted, run, watched and read.
fn straight(run: &mut Run) {
    let mut job = Job::new("work.run.straight");
    let submitted = run.store(&mut job);
    run.accept(&job);
    run.claim(&mut job);
    job.set("meta", json!(1));
    run.end(&mut job, "PROGRESS");
    let end = run.end(&mut job, "SUCCESS");
    run.effect(&job, "end");
    run.watch(&job, &[submitted, end]);
    run.result(&job, true);
    run.answer_revoke(&job, "SUCCESS");
}

/// A job whose first attempt failed, and whose second one waited for its time.
fn retried(run: &mut Run) {
    let mut job = Job::new("work.run.retried");
    job.set("max_attempts", json!(2));
    run.store(&mut job);
    run.accept(&job);
    run.claim(&mut job);
    job.set("charged", json!(1));
    job.set("not_before", json!(run.in_seconds(20)));
    run.end(&mut job, "RETRY");
    run.wait(20);
    run.claim(&mut job);
    job.set("charged", json!(2));
    job.set("error", json!({"kind": "Failed"}));
    run.end(&mut job, "FAILURE");
}

/// A raw job, without a PENDING record, whose first host was killed.
fn taken_over(run: &mut Run) {
    let mut job = Job::new("work.run.taken-over");
    run.claim(&mut job);
    run.accept(&job);
    run.fault("kill");
    run.wait(30);
    job.set("lost", json!(1));
    run.claim(&mut job);
    run.end(&mut job, "SUCCESS");
}

/// A job that two requests stopped, of which the second one gave less time.
fn revoked_while_running(run: &mut Run) {
    let mut job = Job::new("work.run.stopped");
    run.store(&mut job);
    run.accept(&job);
    run.claim(&mut job);
    for seconds in [60, 5] {
        job.set("revoke", json!({"reason": "enough", "stop_at": run.in_seconds(seconds)}));
        run.store(&mut job);
    }
    run.answer_revoke(&job, "STARTED");
    run.end(&mut job, "REVOKED");
    run.answer_revoke(&job, "REVOKED");
}

fn revoked_while_queued(run: &mut Run) {
    let mut job = Job::new("work.run.dropped");
    run.store(&mut job);
    run.accept(&job);
    job.set("revoke", json!({"reason": "enough", "stop_at": run.in_seconds(0)}));
    run.end(&mut job, "REVOKED");
}

/// A job whose record expired, and whose id another job used then.
fn used_again(run: &mut Run) {
    let mut job = Job::new("work.run.again");
    run.store(&mut job);
    run.accept(&job);
    run.claim(&mut job);
    run.end(&mut job, "SUCCESS");
    run.result(&job, true);
    run.delete(&mut job, Marker::MaxAge);
    run.result(&job, false);
    let mut next = job.again();
    run.store(&mut next);
    run.accept(&next);
    run.claim(&mut next);
    run.end(&mut next, "SUCCESS");
}

/// A job whose client could not publish in time and withdrew the record.
fn given_up(run: &mut Run) {
    let mut job = Job::new("work.run.given-up");
    run.store(&mut job);
    run.delete(&mut job, Marker::Delete);
}

#[test]
fn a_run_that_kept_every_promise_is_proven() {
    let report = check(&clean().finish());
    assert_eq!(report.verdict, Verdict::Proven, "{report}");
    assert_eq!((report.jobs, report.accepted), (7, 6), "{report}");
    assert_eq!((report.claims, report.takeovers), (8, 2), "{report}");
    let ends: Vec<_> = report.ends.iter().map(|(state, count)| (state.as_str(), *count)).collect();
    assert_eq!(ends, [("FAILURE", 1), ("REVOKED", 2), ("SUCCESS", 4)]);
    assert_eq!(report.faults["kill"], 1);
}

#[test]
fn the_order_of_the_lines_and_a_second_recorder_change_nothing() {
    let mut twice = clean().finish();
    twice.entries.extend(twice.entries.clone());
    twice.entries.reverse();
    let report = check(&twice);
    assert_eq!(report.verdict, Verdict::Proven, "{report}");
    assert_eq!(report.revisions, check(&clean().finish()).revisions);
}

#[test]
fn a_capture_is_the_same_when_it_is_read_back() {
    let capture = clean().finish();
    assert_eq!(Capture::parse("clean", &capture.to_lines()).unwrap(), capture);
}

/// Checks that a clean run is still proven with what `add` adds.
fn is_fine(add: fn(&mut Run)) {
    let mut run = clean();
    add(&mut run);
    let report = check(&run.finish());
    assert_eq!(report.verdict, Verdict::Proven, "{report}");
}

#[test]
fn a_result_that_expired_with_its_record_need_not_be_readable() {
    is_fine(|run| {
        let mut job = Job::new("work.run.expired");
        run.claim(&mut job);
        run.end(&mut job, "SUCCESS");
        run.delete(&mut job, Marker::MaxAge);
        run.result(&job, false);
    });
}

#[test]
fn a_watcher_that_stopped_need_not_see_the_end() {
    is_fine(|run| {
        let mut job = Job::new("work.run.left");
        let first = run.store(&mut job);
        run.watch(&job, &[first]);
        run.claim(&mut job);
        run.end(&mut job, "SUCCESS");
        if let Some(Entry::Watch(watch)) =
            run.entries.iter_mut().rfind(|entry| matches!(entry, Entry::Watch(_)))
        {
            watch.stayed = false;
        }
    });
}

#[test]
fn an_id_may_be_accepted_after_it_was_not_published() {
    is_fine(|run| {
        let mut job = Job::new("work.run.second-try");
        run.store(&mut job);
        job.set("error", json!({"kind": "NotPublished"}));
        run.end(&mut job, "FAILURE");
        run.delete(&mut job, Marker::MaxAge);
        let mut next = job.again();
        run.store(&mut next);
        run.accept(&next);
        run.claim(&mut next);
        run.end(&mut next, "SUCCESS");
    });
}

#[test]
fn a_pause_from_before_the_claim_may_cost_it() {
    for end in [None, Some("resume")] {
        let mut run = clean();
        run.fault("pause");
        run.wait(5);
        let mut job = Job::new("work.run.paused");
        run.claim(&mut job);
        if let Some(end) = end {
            run.fault(end);
        }
        job.set("lost", json!(1));
        run.claim(&mut job);
        let report = check(&run.finish());
        assert_eq!(report.verdict, Verdict::Proven, "{report}");
    }
}

#[test]
fn an_id_may_be_used_again_over_a_marker_from_before_the_recorder() {
    let mut job = Job::new("work.run.again");
    let mut run = Run::new();
    run.claim(&mut job);
    run.delete(&mut job, Marker::MaxAge);
    let before = run.entries.len();
    let mut next = job.again();
    run.store(&mut next);
    run.accept(&next);
    run.claim(&mut next);
    run.end(&mut next, "SUCCESS");
    run.quiet();
    let mut capture = run.finish();
    capture.entries.drain(..before);
    if let Some(Entry::Span(span)) = capture.entries.last_mut() {
        span.first = 3;
    }
    let report = check(&capture);
    assert_eq!(report.verdict, Verdict::Proven, "{report}");
}

#[test]
fn a_job_that_waits_for_its_time_need_not_have_ended() {
    let mut run = clean();
    let mut job = Job::new("work.run.later");
    job.set("not_before", json!(run.in_seconds(3600)));
    run.store(&mut job);
    run.accept(&job);
    run.remains(&job);
    let report = check(&run.finish());
    assert_eq!(report.verdict, Verdict::Proven, "{report}");
}

#[test]
fn a_report_names_what_broke_for_people_and_for_programs() {
    let mut run = clean();
    let mut job = Job::new("work.run.broken");
    let end = run.end(&mut job, "SUCCESS");
    let report = check(&run.finish());
    let text = report.to_string();
    assert!(text.starts_with("broken\n"), "{text}");
    let line = format!("Transition work.run.broken: began with SUCCESS of attempt 0 (revision {end})");
    assert!(text.contains(&line), "{text}");
    let json: Value = serde_json::to_value(&report).unwrap();
    assert_eq!(
        (&json["verdict"], &json["violations"][0]["invariant"]),
        (&json!("broken"), &json!("Transition"))
    );
}
