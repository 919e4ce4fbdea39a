use std::time::Duration;

use serde_json::{Value, json};
use wasmhost_audit::Revision;
use wasmhost_client::protocol::ids::JobKey;
use wasmhost_client::protocol::timestamp::Timestamp;

use super::*;
use crate::storm::plan::Scale;

const SCALE: Scale = Scale { jobs: 60, time: Duration::from_secs(36), hosts: 4 };

fn at(second: u64) -> Timestamp {
    Timestamp::parse("2026-01-31T12:00:00Z").unwrap().plus(Duration::from_secs(second))
}

fn revision(key: &str, number: u64, second: u64, record: Value) -> Entry {
    let key = JobKey::parse(key).unwrap();
    let previous = None;
    let marker = None;
    Entry::Revision(Revision { key, revision: number, previous, stored_at: at(second), record, marker })
}

fn fault(word: &str, second: u64, host: &str) -> Entry {
    Entry::Fault(Fault { fault: word.to_owned(), at: at(second), host: Some(host.to_owned()), key: None })
}

/// A storm in which every planned fault happened, and every job ended as planned.
fn as_planned() -> (Plan, Capture, BTreeMap<Kind, usize>) {
    let plan = Plan::new(1, SCALE);
    let mut capture = Capture::default();
    for (number, job) in (10..).zip(&plan.jobs) {
        let record = match job.ending() {
            Ending::Success | Ending::SuccessOr(_) => json!({ "state": "SUCCESS" }),
            Ending::Failure(kind) => json!({ "state": "FAILURE", "error": { "kind": kind } }),
        };
        capture.entries.push(revision(&job.key(), number, 9, record));
        if job.revoke.is_some() {
            let key = JobKey::parse(&job.key()).unwrap();
            let answer = "SUCCESS".to_owned();
            capture.entries.push(Entry::Revoke(Revoke { key, answer, at: None }));
        }
    }
    let claim = |host: &str, attempt: u64| json!({ "state": "STARTED", "attempt": attempt, "host": host });
    capture.entries.extend([
        fault("pause", 1, "sleeper"),
        revision("storm.run.taken", 1, 0, claim("sleeper", 1)),
        revision("storm.run.taken", 2, 4, claim("other", 2)),
        fault("resume", 5, "sleeper"),
    ]);
    let mut happened = BTreeMap::new();
    for kind in plan.faults.iter().filter_map(|planned| planned.fault.kind()) {
        *happened.entry(kind).or_default() += 1;
    }
    (plan, capture, happened)
}

/// The complaint about a storm that was changed like this. There must be exactly one.
fn complaint(change: impl FnOnce(&Plan, &mut Capture, &mut BTreeMap<Kind, usize>)) -> String {
    let (plan, mut capture, mut happened) = as_planned();
    change(&plan, &mut capture, &mut happened);
    let complaints = complaints(&plan, &capture, &happened);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    complaints.into_iter().next().unwrap()
}

fn revision_of<'a>(capture: &'a mut Capture, wanted: &str) -> &'a mut Revision {
    let mut revisions = capture.entries.iter_mut().filter_map(|entry| {
        let Entry::Revision(revision) = entry else { return None };
        Some(revision)
    });
    revisions.find(|revision| revision.key.to_string() == wanted).unwrap()
}

#[test]
fn a_storm_that_went_as_planned_gives_no_reason_to_complain() {
    let (plan, capture, happened) = as_planned();
    assert_eq!(complaints(&plan, &capture, &happened), Vec::<String>::new());
}

#[test]
fn a_fault_that_never_happened_is_a_complaint() {
    let said = complaint(|_, _, happened| assert!(happened.remove(&Kind::ServerKill).is_some()));
    assert!(said.contains("`server-kill`"), "{said}");
}

#[test]
fn a_job_that_ended_otherwise_is_a_complaint() {
    let mut key = String::new();
    let said = complaint(|plan, capture, _| {
        let quiet = |job: &&Job| job.ending() == Ending::Success && job.revoke.is_none();
        key = plan.jobs.iter().filter(|job| job.route == Route::Client).find(quiet).unwrap().key();
        revision_of(capture, &key).record =
            json!({ "state": "FAILURE", "error": { "kind": "Lost" }, "attempt": 1 });
    });
    assert!(said.starts_with(&key) && said.contains("Lost"), "{said}");
}

#[test]
fn a_pause_that_cost_no_host_a_job_is_a_complaint() {
    let said =
        complaint(|_, capture, _| revision_of(capture, "storm.run.taken").record["host"] = json!("third"));
    assert!(said.contains("paused"), "{said}");
}

#[test]
fn a_revoke_without_an_answer_is_a_complaint() {
    let said = complaint(|_, capture, _| {
        let revoke = capture.entries.iter().position(|entry| matches!(entry, Entry::Revoke(_))).unwrap();
        capture.entries.remove(revoke);
    });
    assert!(said.contains("was never answered"), "{said}");
}

#[test]
fn too_few_successes_are_a_complaint() {
    let (plan, mut capture, happened) = as_planned();
    for entry in &mut capture.entries {
        if let Entry::Revision(revision) = entry {
            revision.record["state"] = json!("FAILURE");
        }
    }
    let complaints = complaints(&plan, &capture, &happened);
    assert!(complaints.iter().any(|said| said.starts_with("only 0 of 60")), "{complaints:?}");
}
