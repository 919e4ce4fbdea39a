//! Defects in what clients saw and in what guests did.

use wasmhost_audit::Invariant::{I7, I8, I9, I10, I13};
use wasmhost_audit::{Effect, Entry, Marker, Watch};
use wasmhost_protocol::timestamp::Timestamp;

use super::{KEY, each_is_caught, recorded, running, succeeded};
use crate::builder::{Job, Run, key};

#[test]
fn answers_that_differ_from_the_record_are_caught() {
    each_is_caught(&[
        ("the answer to a revoke is REVOKED, and the end a success", |run| answer(run, "REVOKED"), &[I7]),
        ("two clients got two ends as answers", two_answers, &[I7]),
        ("the answer to a revoke is REVOKED, and the job runs", answer_while_it_runs, &[I7]),
        ("the result of a success is not readable", |run| read(run, succeeded, false), &[I8]),
        ("a result is gone before its record", unreadable_before_the_end, &[I8]),
        ("a result was read of what still runs", |run| read(run, running, true), &[I8]),
    ]);
}

#[test]
fn watchers_that_saw_something_else_are_caught() {
    each_is_caught(&[
        ("the revisions decrease", |run| watch(run, &[1, 0, 2]), &[I9]),
        ("one revision comes twice", |run| watch(run, &[0, 0, 2]), &[I9]),
        ("the end does not come", |run| watch(run, &[0, 1]), &[I9]),
        ("nothing comes at all", |run| watch(run, &[]), &[I9]),
        ("a revision comes that was never stored", |run| watch(run, &[0, 1, 99]), &[I9]),
    ]);
}

#[test]
fn guests_that_ran_without_a_claim_are_caught() {
    each_is_caught(&[
        ("an effect before the claim", |run| effect_in(run, running, -5, "write"), &[I10]),
        ("an effect of an attempt that nobody claimed", effect_of_attempt_two, &[I10]),
        ("an effect of a job that was only recorded", |run| effect_in(run, recorded, 0, "write"), &[I10]),
        ("a start long after the end", |run| effect_in(run, succeeded, 15, "start"), &[I13]),
    ]);
}

#[test]
fn a_guest_may_go_on_or_start_until_its_host_hears_of_the_end() {
    for (seconds, effect) in [(15, "write"), (10, "start")] {
        let mut run = crate::clean::clean();
        effect_in(&mut run, succeeded, seconds, effect);
        let report = wasmhost_audit::check(&run.finish());
        assert_eq!(report.violations, [], "{effect} after {seconds} s");
    }
}

fn answer(run: &mut Run, answer: &str) {
    let job = succeeded(run);
    run.answer_revoke(&job, answer);
}

fn two_answers(run: &mut Run) {
    let job = succeeded(run);
    run.answer_revoke(&job, "SUCCESS");
    run.answer_revoke(&job, "REVOKED");
}

fn answer_while_it_runs(run: &mut Run) {
    let job = running(run);
    run.answer_revoke(&job, "REVOKED");
}

fn read(run: &mut Run, job: fn(&mut Run) -> Job, readable: bool) {
    let job = job(run);
    run.result(&job, readable);
}

fn unreadable_before_the_end(run: &mut Run) {
    let mut job = succeeded(run);
    run.result(&job, false);
    run.delete(&mut job, Marker::MaxAge);
}

/// Lets a watcher see these revisions of a job that succeeded, as offsets from its first revision.
fn watch(run: &mut Run, offsets: &[u64]) {
    let mut job = recorded(run);
    let Some(Entry::Revision(first)) = run.entries.last() else { panic!("a revision was stored") };
    let revisions = offsets.iter().map(|offset| first.revision + offset).collect();
    run.claim(&mut job);
    run.end(&mut job, "SUCCESS");
    run.note(Entry::Watch(Watch { key: job.key, revisions, stayed: true }));
}

/// Adds an effect of the first attempt, this many seconds after the job's last revision.
fn effect_in(run: &mut Run, job: fn(&mut Run) -> Job, seconds: i64, effect: &str) {
    job(run);
    let at = Timestamp::from_unix_ms(run.in_seconds(0).unix_ms() + seconds * 1000);
    run.note(Entry::Effect(Effect { key: key(KEY), attempt: 1, at, effect: effect.to_owned() }));
}

fn effect_of_attempt_two(run: &mut Run) {
    let job = running(run);
    let at = run.in_seconds(0);
    run.note(Entry::Effect(Effect { key: job.key, attempt: 2, at, effect: "start".to_owned() }));
}
