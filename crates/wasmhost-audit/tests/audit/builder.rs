//! Builds captures by hand: a bucket whose revisions have the numbers that a server would give, and a clock that moves only
//! when a test moves it.

use std::time::Duration;

use serde_json::{Value, json};
use wasmhost_audit::{
    Answer, Capture, Effect, Entry, Fault, Marker, Quiet, Remaining, ResultRead, Revision, Revoke, Span,
    Submit, Watch,
};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::timestamp::Timestamp;

pub(crate) fn key(text: &str) -> JobKey {
    JobKey::parse(text).expect("a key")
}

/// A capture under construction.
pub(crate) struct Run {
    pub(crate) entries: Vec<Entry>,
    now: Timestamp,
    revision: u64,
    writes: u64,
}

impl Run {
    pub(crate) fn new() -> Self {
        let now = Timestamp::parse("2026-01-31T12:00:00Z").expect("a time");
        Self { entries: Vec::new(), now, revision: 0, writes: 0 }
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    pub(crate) fn in_seconds(&self, seconds: u64) -> Timestamp {
        self.now.plus(Duration::from_secs(seconds))
    }

    pub(crate) fn note(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    pub(crate) fn accept(&mut self, job: &Job) {
        let key = job.key.clone();
        let at = Some(self.now);
        let args_digest = job.record["args_digest"].as_str().map(str::to_owned);
        self.note(Entry::Submit(Submit { key, answer: Answer::Accepted, at, args_digest }));
    }

    /// Stores the job's record as it is now, with a `write` of its own.
    pub(crate) fn store(&mut self, job: &mut Job) -> u64 {
        self.writes += 1;
        job.record["write"] = json!(format!("{:032x}", self.writes));
        let record = job.record.clone();
        self.put(job, record, None)
    }

    pub(crate) fn delete(&mut self, job: &mut Job, marker: Marker) -> u64 {
        self.put(job, Value::Null, Some(marker))
    }

    fn put(&mut self, job: &mut Job, record: Value, marker: Option<Marker>) -> u64 {
        self.wait(1);
        self.revision += 1;
        let previous = Some(std::mem::replace(&mut job.last, self.revision));
        let key = job.key.clone();
        let revision = self.revision;
        let stored_at = self.now;
        self.note(Entry::Revision(Revision { key, revision, previous, stored_at, record, marker }));
        self.revision
    }

    /// Stores a claim, and the guest's first effect.
    pub(crate) fn claim(&mut self, job: &mut Job) {
        let attempt = job.record["attempt"].as_u64().expect("a number") + 1;
        job.set("state", json!("STARTED"));
        job.set("attempt", json!(attempt));
        job.set("token", json!(format!("{}-{attempt}", job.key)));
        job.set("not_before", Value::Null);
        self.store(job);
        self.effect(job, "start");
    }

    pub(crate) fn end(&mut self, job: &mut Job, state: &str) -> u64 {
        job.set("state", json!(state));
        self.store(job)
    }

    pub(crate) fn effect(&mut self, job: &Job, effect: &str) {
        let attempt = job.record["attempt"].as_u64().expect("a number");
        let key = job.key.clone();
        let at = self.now;
        let effect = effect.to_owned();
        self.note(Entry::Effect(Effect { key, attempt, at, effect }));
    }

    pub(crate) fn fault(&mut self, fault: &str) {
        self.note(Entry::Fault(Fault { fault: fault.to_owned(), at: self.now, host: None, key: None }));
    }

    pub(crate) fn answer_revoke(&mut self, job: &Job, answer: &str) {
        let key = job.key.clone();
        let answer = answer.to_owned();
        let at = Some(self.now);
        self.note(Entry::Revoke(Revoke { key, answer, at }));
    }

    pub(crate) fn result(&mut self, job: &Job, readable: bool) {
        self.note(Entry::Result(ResultRead { key: job.key.clone(), readable, at: Some(self.now) }));
    }

    pub(crate) fn watch(&mut self, job: &Job, revisions: &[u64]) {
        let key = job.key.clone();
        let revisions = revisions.to_vec();
        self.note(Entry::Watch(Watch { key, revisions, stayed: true }));
    }

    pub(crate) fn remains(&mut self, job: &Job) {
        let subject = format!("wasmhost.jobs.default.{}", job.key);
        self.note(Entry::Remaining(Remaining { subject, sequence: 1, key: Some(job.key.clone()) }));
    }

    pub(crate) fn quiet(&mut self) {
        self.wait(60);
        self.note(Entry::Quiet(Quiet { at: self.now }));
    }

    /// The capture, with the span of its recorder.
    pub(crate) fn finish(mut self) -> Capture {
        let last = self.revision;
        self.note(Entry::Span(Span { first: 1, last }));
        Capture { entries: self.entries }
    }
}

/// A job, with its record as it will be stored next.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) key: JobKey,
    pub(crate) record: Value,
    last: u64,
}

impl Job {
    /// A job that was not stored yet.
    pub(crate) fn new(text: &str) -> Self {
        let key = key(text);
        let record = json!({
            "state": "PENDING", "meta": null, "task": key.task(), "id": key.id(), "attempt": 0, "max_attempts": null,
            "args_digest": "d1", "revoke": null, "token": null, "write": null, "charged": 0, "lost": 0,
            "not_before": null, "error": null, "after": null, "v": 1,
        });
        Self { key, record, last: 0 }
    }

    pub(crate) fn set(&mut self, field: &str, value: Value) {
        self.record[field] = value;
    }

    /// The next use of the job's id, after the marker that was stored last.
    pub(crate) fn again(&self) -> Self {
        let mut next = Self { last: self.last, ..Self::new(self.key.as_str()) };
        next.set("after", json!(self.last));
        next
    }
}
