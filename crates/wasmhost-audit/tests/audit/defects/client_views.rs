//! Defects in what clients were told and what guests did.

use wasmhost_audit::Invariant::{I7, I8, I9, I10, I13};
use wasmhost_audit::{Effect, Entry, Marker, Watch};

use super::{KEY, each_is_caught, recorded, running, succeeded};
use crate::builder::{Job, Run, key};

#[test]
fn clients_that_were_told_something_else_are_caught() {
    each_is_caught(&[
        ("told REVOKED of a success", |run| tell(run, "REVOKED"), &[I7]),
        ("two clients were told two ends", two_answers, &[I7]),
        ("told REVOKED of what runs", tell_what_runs, &[I7]),
        ("the result of a success is not readable", |run| read(run, succeeded, false), &[I8]),
        ("a result is gone before its record", unreadable_before_the_end, &[I8]),
        ("a result was read of what still runs", |run| read(run, running, true), &[I8]),
    ]);
}

#[test]
fn watchers_that_were_told_something_else_are_caught() {
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
        let report = crate::clean::judge(&run.finish());
        assert_eq!(report.violations, [], "{effect} after {seconds} s");
    }
}

fn tell(run: &mut Run, answer: &str) {
    let job = succeeded(run);
    run.told(&job, answer);
}

fn two_answers(run: &mut Run) {
    let job = succeeded(run);
    run.told(&job, "SUCCESS");
    run.told(&job, "REVOKED");
}

fn tell_what_runs(run: &mut Run) {
    let job = running(run);
    run.told(&job, "REVOKED");
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

/// A watcher of a job that succeeded: offsets from its first revision.
fn watch(run: &mut Run, offsets: &[u64]) {
    let mut job = recorded(run);
    let Some(Entry::Revision(first)) = run.entries.last() else { panic!("a revision was stored") };
    let revisions = offsets.iter().map(|offset| first.revision + offset).collect();
    run.claim(&mut job);
    run.end(&mut job, "SUCCESS");
    run.note(Entry::Watch(Watch { key: job.key, revisions, stayed: true }));
}

/// An effect of the first attempt, so many seconds after what is done with the job.
fn effect_in(run: &mut Run, job: fn(&mut Run) -> Job, seconds: i64, effect: &str) {
    job(run);
    let at =
        wasmhost_protocol::timestamp::Timestamp::from_unix_ms(run.in_seconds(0).unix_ms() + seconds * 1000);
    run.note(Entry::Effect(Effect { key: key(KEY), attempt: 1, at, effect: effect.to_owned() }));
}

fn effect_of_attempt_two(run: &mut Run) {
    let job = running(run);
    let at = run.in_seconds(0);
    run.note(Entry::Effect(Effect { key: job.key, attempt: 2, at, effect: "start".to_owned() }));
}
