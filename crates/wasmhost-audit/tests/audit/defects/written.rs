//! Defects in the records of a job.

use serde_json::{Value, json};
use wasmhost_audit::Invariant::{
    Arguments, Counters, I1, I2, I3, I4, I5, I6, I7, I11, I12, I13, I14, Key, Readable, Stored, Transition,
    Write,
};
use wasmhost_audit::{Entry, Fault, Marker, Revision};

use super::{KEY, asked_to_stop, each_is_caught, recorded, retrying, running, running_again, succeeded};
use crate::builder::{Job, Run, key};

#[test]
fn defects_around_an_end_are_caught() {
    each_is_caught(&[
        ("progress follows an end", |run| end(run, succeeded, "PROGRESS"), &[I1]),
        ("a job ends twice", |run| end(run, succeeded, "FAILURE"), &[I1, I2]),
        ("an ended job is claimed", |run| claim(run, succeeded), &[I1, I13]),
        ("a running job vanishes", vanishes, &[I2]),
        ("a recorded job expires", expires_early, &[I2]),
        ("a success without a claim", |run| end(run, recorded, "SUCCESS"), &[Transition]),
        ("a success from RETRY", |run| end(run, retrying, "SUCCESS"), &[Transition]),
        ("a job begins in RETRY", |run| end(run, |_| Job::new(KEY), "RETRY"), &[Transition]),
    ]);
}

#[test]
fn defects_of_the_fence_are_caught() {
    each_is_caught(&[
        ("the attempt falls", |run| change(run, running_again, "attempt", json!(1)), &[I3]),
        ("a claim skips an attempt", claims_attempt_three, &[I3]),
        ("a job begins with attempt two", begins_with_attempt_two, &[I3]),
        ("another token writes", |run| change(run, running, "token", json!("stranger")), &[I4]),
        ("the attempt rises without a claim", |run| change(run, running, "attempt", json!(2)), &[I4]),
        ("a claim shows a custom state", claims_in_progress, &[I4]),
        ("a claim takes an earlier token", claims_with_the_first_token, &[I4]),
        ("the token is taken away", |run| change(run, running, "token", Value::Null), &[I4]),
        ("a zombie ends the next attempt", zombie_ends_it, &[I4]),
        ("a naive host ends what it never claimed", naive_host_ends_it, &[I4]),
        ("STARTED follows a custom state", starts_after_progress, &[Transition]),
        ("PENDING of nobody follows PENDING of a claim", forgets_its_claim, &[I3, I4, Transition]),
    ]);
}

#[test]
fn accepted_jobs_that_do_not_end_are_caught() {
    each_is_caught(&[
        ("an accepted job has no record", |run| run.accept(&Job::new(KEY)), &[I5]),
        ("an accepted job's message is gone", accepted_and_running, &[I5]),
        ("an accepted job was deleted", accepted_and_deleted, &[I5]),
        ("an accepted job's message stands", accepted_and_remaining, &[I6]),
        ("a purged job has no end", accepted_and_purged, &[I6]),
        ("an accepted job was never published", accepted_and_not_published, &[I12]),
        ("the arguments are others", accepted_with_others, &[Arguments]),
    ]);
}

#[test]
fn defects_of_a_revoke_are_caught() {
    each_is_caught(&[
        ("a success after a revoke", |run| end(run, asked_to_stop, "SUCCESS"), &[I7]),
        ("progress after a revoke", |run| end(run, asked_to_stop, "PROGRESS"), &[I7]),
        ("a claim after a revoke", |run| claim(run, asked_to_stop), &[I7]),
        ("a revoke is taken away", |run| change(run, asked_to_stop, "revoke", Value::Null), &[I7]),
        ("stop_at moves later", stops_later, &[I7]),
        ("a revoke is written again", |run| end(run, asked_to_stop, "STARTED"), &[I7]),
        ("a job begins with a failure and a revoke", begins_with_a_revoke, &[I7]),
        ("a failure carries its own revoke", fails_with_a_revoke, &[I7]),
    ]);
}

#[test]
fn defects_of_counters_and_clocks_are_caught() {
    each_is_caught(&[
        ("a claim is lost without a fault", |run| loses(run, 1, &[]), &[I11]),
        ("a claim is lost to what costs none", |run| loses(run, 1, &["resume", "purge", "revoke"]), &[I11]),
        ("two claims are lost to one kill", |run| loses(run, 2, &["kill"]), &[I11]),
        ("a claim is lost before the kill", loses_before_the_kill, &[I11]),
        ("a claim is lost after the pause", loses_after_the_pause, &[I11]),
        ("a claim is lost to another job's fault", loses_to_another, &[I11]),
        ("a retry is claimed early", |run| claim(run, retrying), &[I14]),
        ("a delayed job is claimed early", |run| claim(run, delayed), &[I14]),
        ("charged falls", |run| change(run, retrying, "charged", json!(0)), &[Counters]),
        ("a claim without an attempt left", claims_exhausted, &[Counters]),
    ]);
}

#[test]
fn defects_of_identity_are_caught() {
    each_is_caught(&[
        ("the record is another job's", |run| change(run, running, "id", json!("other")), &[Key]),
        ("one write is stored twice", one_write_twice, &[Write]),
        ("a value is no JSON", |run| value(run, json!("{")), &[Readable]),
        ("a value has no state", |run| value(run, json!({"v": 1, "attempt": 0})), &[Readable]),
        ("a value between two records is none", garbage_between, &[Readable]),
        ("a revision has two contents", two_contents, &[Stored]),
    ]);
}

fn end(run: &mut Run, job: fn(&mut Run) -> Job, state: &str) {
    let mut job = job(run);
    run.end(&mut job, state);
}

fn claim(run: &mut Run, job: fn(&mut Run) -> Job) {
    let mut job = job(run);
    run.claim(&mut job);
}

fn delayed(run: &mut Run) -> Job {
    let mut job = Job::new(KEY);
    job.set("not_before", json!(run.in_seconds(20)));
    run.end(&mut job, "PENDING");
    job
}

fn vanishes(run: &mut Run) {
    let mut job = running(run);
    run.delete(&mut job, Marker::Remove);
}

fn expires_early(run: &mut Run) {
    let mut job = recorded(run);
    run.delete(&mut job, Marker::MaxAge);
}

fn claims_in_progress(run: &mut Run) {
    let mut job = running(run);
    job.set("attempt", json!(2));
    job.set("token", json!("the next one"));
    run.end(&mut job, "PROGRESS");
}

fn claims_with_the_first_token(run: &mut Run) {
    let mut job = running(run);
    let token = job.record["token"].clone();
    run.claim(&mut job);
    job.set("attempt", json!(3));
    job.set("token", token);
    run.end(&mut job, "STARTED");
}

fn begins_with_a_revoke(run: &mut Run) {
    let mut job = Job::new(KEY);
    job.set("revoke", json!({"reason": "enough", "stop_at": run.in_seconds(60)}));
    run.end(&mut job, "FAILURE");
}

fn loses_before_the_kill(run: &mut Run) {
    loses(run, 1, &[]);
    run.wait(5);
    run.fault("kill");
}

fn loses_after_the_pause(run: &mut Run) {
    run.fault("pause");
    run.wait(5);
    run.fault("resume");
    run.wait(5);
    loses(run, 1, &[]);
}

/// Stores a value that is no record between two records: what it overwrote and how the next one follows is unknown.
fn garbage_between(run: &mut Run) {
    value(run, json!("garbage"));
    let Some(Entry::Revision(last)) = run.entries.last() else { panic!("a revision was stored") };
    let revision = last.revision;
    let record = last.record.clone();
    assert_eq!(record, "garbage");
    let mut job = Job::new(KEY);
    job.set("attempt", json!(3));
    job.set("token", json!("the third"));
    run.end(&mut job, "PROGRESS");
    let Some(Entry::Revision(last)) = run.entries.last_mut() else { panic!("a revision was stored") };
    last.previous = Some(revision);
}

/// Stores the job's record with another value in one field.
fn change(run: &mut Run, job: fn(&mut Run) -> Job, field: &str, value: Value) {
    let mut job = job(run);
    job.set(field, value);
    run.store(&mut job);
}

fn claims_attempt_three(run: &mut Run) {
    let mut job = running(run);
    job.set("attempt", json!(2));
    run.claim(&mut job);
}

fn begins_with_attempt_two(run: &mut Run) {
    let mut job = Job::new(KEY);
    job.set("attempt", json!(1));
    run.claim(&mut job);
}

fn zombie_ends_it(run: &mut Run) {
    let mut job = running(run);
    let token = job.record["token"].clone();
    run.claim(&mut job);
    job.set("token", token);
    run.end(&mut job, "SUCCESS");
}

fn naive_host_ends_it(run: &mut Run) {
    let mut job = running(run);
    job.set("attempt", json!(2));
    job.set("token", json!("never recorded"));
    run.end(&mut job, "SUCCESS");
}

fn starts_after_progress(run: &mut Run) {
    let mut job = running(run);
    run.end(&mut job, "PROGRESS");
    run.end(&mut job, "STARTED");
}

fn forgets_its_claim(run: &mut Run) {
    let mut job = running(run);
    job.set("attempt", json!(0));
    job.set("token", Value::Null);
    run.end(&mut job, "PENDING");
}

fn accepted_and_running(run: &mut Run) {
    let job = running(run);
    run.accept(&job);
}

fn accepted_and_deleted(run: &mut Run) {
    let mut job = recorded(run);
    run.accept(&job);
    run.delete(&mut job, Marker::Delete);
}

fn accepted_and_remaining(run: &mut Run) {
    let job = running(run);
    run.accept(&job);
    run.remains(&job);
}

fn accepted_and_purged(run: &mut Run) {
    let job = running(run);
    run.accept(&job);
    let at = run.in_seconds(0);
    run.note(Entry::Fault(Fault { fault: "purge".to_owned(), at, host: None, key: Some(job.key) }));
}

fn accepted_and_not_published(run: &mut Run) {
    let mut job = recorded(run);
    run.accept(&job);
    job.set("error", json!({"kind": "NotPublished"}));
    run.end(&mut job, "FAILURE");
}

fn accepted_with_others(run: &mut Run) {
    let mut job = succeeded(run);
    job.set("args_digest", json!("d2"));
    run.accept(&job);
}

fn stops_later(run: &mut Run) {
    let later = json!({"reason": "enough", "stop_at": run.in_seconds(3600)});
    change(run, asked_to_stop, "revoke", later);
}

fn fails_with_a_revoke(run: &mut Run) {
    let mut job = running(run);
    job.set("revoke", json!({"reason": "enough", "stop_at": run.in_seconds(60)}));
    run.end(&mut job, "FAILURE");
}

/// Lets a job lose this many claims, with these faults after its first claim.
fn loses(run: &mut Run, lost: u64, faults: &[&str]) {
    let mut job = running(run);
    for fault in faults {
        run.fault(fault);
    }
    for count in 1..=lost {
        run.wait(30);
        job.set("lost", json!(count));
        run.claim(&mut job);
    }
}

fn loses_to_another(run: &mut Run) {
    let mut job = running(run);
    let at = run.in_seconds(0);
    let hit = Some(key("work.run.straight"));
    run.note(Entry::Fault(Fault { fault: "kill".to_owned(), at, host: None, key: hit }));
    job.set("lost", json!(1));
    run.claim(&mut job);
}

fn claims_exhausted(run: &mut Run) {
    let mut job = retrying(run);
    job.set("max_attempts", json!(1));
    run.wait(30);
    run.claim(&mut job);
}

fn one_write_twice(run: &mut Run) {
    let mut job = running(run);
    let write = job.record["write"].clone();
    job.set("state", json!("SUCCESS"));
    run.store(&mut job);
    let Some(Entry::Revision(last)) = run.entries.last_mut() else { panic!("a revision was stored") };
    last.record["write"] = write;
}

/// Stores a value after the record of a job.
fn value(run: &mut Run, value: Value) {
    let mut job = recorded(run);
    run.store(&mut job);
    let Some(Entry::Revision(last)) = run.entries.last_mut() else { panic!("a revision was stored") };
    last.record = value;
}

fn two_contents(run: &mut Run) {
    succeeded(run);
    let Some(Entry::Revision(last)) = run.entries.last() else { panic!("a revision was stored") };
    let mut record = last.record.clone();
    record["state"] = json!("FAILURE");
    run.note(Entry::Revision(Revision { record, ..last.clone() }));
}
