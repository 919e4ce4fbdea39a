//! The auditor's report: how much was seen, which promises were broken, and what was missed.

mod gap;
mod render;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use wasmhost_protocol::ids::JobKey;

pub use gap::Gap;

/// A promise that a job can break: the protocol's invariants by their numbers, and what they rely on.
///
/// The invariants are explained in
/// [docs/protocol.md](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#invariants).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Invariant {
    /// Nothing follows a terminal revision but its deletion.
    I1,
    /// Each use of an id has exactly one terminal revision.
    I2,
    /// The attempt never decreases, and rises by one at each claim.
    I3,
    /// Between two claims every write carries the token of the first.
    I4,
    /// An accepted job whose message is gone has ended.
    I5,
    /// Every accepted job ends.
    I6,
    /// After a revoke comes REVOKED, and a client's answer is what the record says.
    I7,
    /// The result of a success is readable.
    I8,
    /// A watcher sees increasing revisions and, if it stays, the last one.
    I9,
    /// Guest code runs only under a recorded attempt.
    I10,
    /// `lost` never exceeds the number of faults that may have cost the job a claim.
    I11,
    /// An accepted job that nobody purged is not `NotPublished`.
    I12,
    /// An ended job never runs again.
    I13,
    /// No claim comes before `not_before`.
    I14,
    /// Every write is one of the table of transitions.
    Transition,
    /// `charged` and `lost` never fall, and no job is claimed whose attempts are used up.
    Counters,
    /// A record stands under its own key.
    Key,
    /// No two revisions have the same `write`.
    Write,
    /// The recorded arguments are those that were accepted.
    Arguments,
    /// Every value of the bucket is a record.
    Readable,
    /// The server gives a revision's number once.
    Stored,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One broken promise of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The promise.
    pub invariant: Invariant,
    /// The job.
    pub key: JobKey,
    /// The revisions that show it; empty where an absence shows it.
    pub revisions: Vec<u64>,
    /// What was seen, in words.
    pub seen: String,
}

/// What a run proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything was seen, and no promise was broken.
    Proven,
    /// No broken promise was seen, but something was missed, so that the run proves nothing; with the reason.
    NotProven(String),
    /// A promise was broken, whether or not something was missed.
    Broken,
}

/// What the auditor found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What the run proves.
    pub verdict: Verdict,
    /// How many jobs were recorded or submitted.
    pub jobs: usize,
    /// How many jobs were accepted.
    pub accepted: usize,
    /// How many revisions were seen.
    pub revisions: usize,
    /// How many of the revisions are claims.
    pub claims: usize,
    /// How many of the claims were not the first of their job.
    pub takeovers: usize,
    /// How many effects of guests were seen.
    pub effects: usize,
    /// How many jobs ended, by state.
    pub ends: BTreeMap<String, usize>,
    /// How many faults were noted, by kind.
    pub faults: BTreeMap<String, usize>,
    /// The broken promises.
    pub violations: Vec<Violation>,
    /// What was missed.
    pub gaps: Vec<Gap>,
}
