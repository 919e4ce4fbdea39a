//! The records of each job in a capture, for what the storm itself checks in them.

use std::collections::BTreeMap;

use serde_json::Value;
use wasmhost_audit::{Capture, Entry, Revision};

/// The records of every job in the order of their revisions.
#[derive(Debug, Default)]
pub(super) struct Histories<'a>(BTreeMap<String, Vec<&'a Revision>>);

impl<'a> Histories<'a> {
    pub(super) fn of(capture: &'a Capture) -> Self {
        let mut all: BTreeMap<String, Vec<&Revision>> = BTreeMap::new();
        for entry in &capture.entries {
            if let Entry::Revision(revision) = entry
                && revision.record.is_object()
            {
                all.entry(revision.key.to_string()).or_default().push(revision);
            }
        }
        for revisions in all.values_mut() {
            revisions.sort_by_key(|revision| revision.revision);
            revisions.dedup_by_key(|revision| revision.revision);
        }
        Self(all)
    }

    /// The newest record of a job.
    pub(super) fn last(&self, key: &str) -> Option<&'a Value> {
        Some(&self.0.get(key)?.last()?.record)
    }

    /// The records of all jobs, each with the one before it.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'a Revision, &'a Revision)> {
        self.0.values().flat_map(|revisions| revisions.windows(2).map(|pair| (pair[0], pair[1])))
    }

    /// The claims of jobs that another attempt ran and did not finish, each with the record before it.
    pub(super) fn takeovers(&self) -> impl Iterator<Item = (&'a Revision, &'a Revision)> {
        self.pairs().filter(|(before, after)| {
            let attempt = |revision: &Revision| revision.record["attempt"].as_u64();
            attempt(after) > attempt(before) && attempt(before) > Some(0) && before.record["state"] != "RETRY"
        })
    }

    /// How many jobs ended in this state, and with an error of this kind where one is given.
    pub(super) fn ended(&self, state: &str, kind: Option<&str>) -> usize {
        let is = |record: &&Value| {
            record["state"] == state && kind.is_none_or(|kind| record["error"]["kind"] == kind)
        };
        self.0.values().filter_map(|revisions| Some(&revisions.last()?.record)).filter(is).count()
    }
}
