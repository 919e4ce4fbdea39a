//! What the harness itself knows of a storm, as entries of a capture: the answers that clients got, and the faults.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use wasmhost_audit::{Answer, Entry, Fault, ResultRead, Revoke, Submit, Watch};
use wasmhost_client::protocol::ids::JobKey;
use wasmhost_nats::now;

/// The notes, which many tasks write.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Vec<Entry>>);

/// What a fault hit. Where neither is named, it may have hit anything.
#[derive(Debug, Clone, Default)]
pub(super) struct Hit {
    pub(super) host: Option<String>,
    pub(super) key: Option<JobKey>,
}

impl Hit {
    pub(super) fn host(host: impl Into<String>) -> Self {
        Self { host: Some(host.into()), key: None }
    }

    pub(super) fn job(key: &JobKey) -> Self {
        Self { host: None, key: Some(key.clone()) }
    }
}

impl Notes {
    /// Notes the answer to a submit.
    pub(super) fn submit(&self, key: &JobKey, answer: Answer) {
        let key = key.clone();
        let at = Some(now());
        self.push(Entry::Submit(Submit { key, answer, at, args_digest: None }));
    }

    /// Notes the state in the answer to a revoke.
    pub(super) fn revoke(&self, key: &JobKey, answer: &str) {
        let key = key.clone();
        let at = Some(now());
        self.push(Entry::Revoke(Revoke { key, answer: answer.to_owned(), at }));
    }

    /// Notes whether a result could be read.
    pub(super) fn result(&self, key: &JobKey, readable: bool) {
        self.push(Entry::Result(ResultRead { key: key.clone(), readable, at: Some(now()) }));
    }

    /// Notes the revisions that a watcher saw.
    pub(super) fn watch(&self, watch: Watch) {
        self.push(Entry::Watch(watch));
    }

    /// Notes a fault.
    pub(super) fn fault(&self, fault: &str, Hit { host, key }: Hit) {
        self.push(Entry::Fault(Fault { fault: fault.to_owned(), at: now(), host, key }));
    }

    /// All notes so far.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The jobs that were submitted so far, without those that were refused.
    pub(super) fn submitted(&self) -> BTreeSet<JobKey> {
        let submitted = |entry| {
            let Entry::Submit(Submit { key, answer, .. }) = entry else { return None };
            (answer != Answer::Refused).then_some(key)
        };
        self.entries().into_iter().filter_map(submitted).collect()
    }

    fn push(&self, entry: Entry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }
}

/// Parses a key that the harness made itself.
pub(super) fn parse(key: &str) -> anyhow::Result<JobKey> {
    JobKey::parse(key).with_context(|| format!("the key {key:?}"))
}
