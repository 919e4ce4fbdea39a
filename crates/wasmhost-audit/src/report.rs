//! What the auditor says: how much was seen, what broke which promise, and what was missed.

mod gap;
mod show;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use wasmhost_protocol::ids::JobKey;

pub use gap::Gap;

/// A promise that a job can break: those of the protocol by its numbers, and what they rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Invariant {
    /// No revision follows a terminal one but its deletion.
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
    /// After a revoke comes REVOKED, and a client was told what the record says.
    I7,
    /// The result of a success is readable.
    I8,
    /// A watcher is told increasing revisions and, if it stays, the last one.
    I9,
    /// Guest code runs only under a recorded attempt.
    I10,
    /// `lost` never exceeds the faults that befell the job.
    I11,
    /// An accepted job that nobody purged is not `NotPublished`.
    I12,
    /// An ended job never runs again.
    I13,
    /// No claim comes before `not_before`.
    I14,
    /// A write is one of the table of transitions.
    Transition,
    /// `charged` and `lost` never fall, and `charged` leaves an attempt to claim.
    Counters,
    /// A record stands under its own key.
    Key,
    /// No two revisions have the same `write`.
    Write,
    /// The recorded arguments are those that were accepted.
    Arguments,
    /// A value of the bucket is a record.
    Readable,
    /// A revision's number is given once.
    Stored,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// Whose.
    pub key: JobKey,
    /// The revisions that show it; none where it shows by an absence.
    pub revisions: Vec<u64>,
    /// What was seen.
    pub seen: String,
}

/// What the run shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything was seen, and no promise was broken.
    Proven,
    /// No broken promise was seen, but not all was, and why: the run shows nothing.
    NotProven(String),
    /// A promise was broken, whatever else was missed.
    Broken,
}

/// What the auditor found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What the run shows.
    pub verdict: Verdict,
    /// Jobs that were recorded or submitted.
    pub jobs: usize,
    /// Jobs that were accepted.
    pub accepted: usize,
    /// Revisions that were seen.
    pub revisions: usize,
    /// Claims among them.
    pub claims: usize,
    /// Claims that were not a job's first.
    pub takeovers: usize,
    /// Effects of guests.
    pub effects: usize,
    /// Ends by state.
    pub ends: BTreeMap<String, usize>,
    /// Faults by kind.
    pub faults: BTreeMap<String, usize>,
    /// Broken promises.
    pub violations: Vec<Violation>,
    /// What was missed.
    pub gaps: Vec<Gap>,
}
