//! The kinds of lines of a capture. Fields are named as in the file; what is not known there is an error.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::timestamp::Timestamp;

/// One thing that was seen, or done to the system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Entry {
    /// A client submitted a job.
    Submit(Submit),
    /// The states bucket stored a revision.
    Revision(Revision),
    /// The guest had an effect.
    Effect(Effect),
    /// A client asked that a job not run, or stop.
    Revoke(Revoke),
    /// A client read the result of a job.
    Result(ResultRead),
    /// A client followed a job.
    Watch(Watch),
    /// A message stood in the job stream or the schedules at the end.
    Left(Left),
    /// Somebody broke something.
    Fault(Fault),
    /// A recorder was there.
    Span(Span),
    /// The system was idle at the end.
    Quiet(Quiet),
}

/// What a submitter was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The job is accepted.
    Accepted,
    /// It is not, and will not run.
    Refused,
    /// The answer was lost.
    Unknown,
}

/// A client submitted a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submit {
    /// The job.
    pub key: JobKey,
    /// What the client was answered.
    pub answer: Answer,
    /// When the answer came.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Digest of the arguments that were sent.
    #[serde(default)]
    pub args_digest: Option<String>,
}

/// The states bucket stored a revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The key that it was stored under.
    pub key: JobKey,
    /// Its number, unique in the bucket.
    pub revision: u64,
    /// The key's revision before it, 0 where there was none. None: it was read later, and nobody said.
    #[serde(default)]
    pub previous: Option<u64>,
    /// When it was stored, by the server's clock.
    pub stored_at: Timestamp,
    /// The value: an object if all is well, a string where it was no JSON, null for a marker.
    #[serde(default)]
    pub record: Value,
    /// What kind of delete marker it is, if it is one.
    #[serde(default)]
    pub marker: Option<Marker>,
}

/// Why a delete marker was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Marker {
    /// By the server: the record's time to live ended.
    MaxAge,
    /// By the server: the record was removed.
    Remove,
    /// By a client: deleted.
    #[serde(rename = "DEL")]
    Delete,
    /// By a client or the server: purged.
    #[serde(rename = "PURGE", alias = "Purge")]
    Purge,
}

/// A line of the append-only log that a guest wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The job that the guest was told to be.
    pub key: JobKey,
    /// The attempt that it was told to be.
    pub attempt: u64,
    /// When, by the clock of the guest's host.
    pub at: Timestamp,
    /// What it did; [`Effect::START`] is the first thing that an attempt does.
    pub effect: String,
}

impl Effect {
    /// The effect of a guest that starts.
    pub const START: &'static str = "start";
}

/// A client asked that a job not run, or stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The job.
    pub key: JobKey,
    /// The state that the client was told; any other word says nothing about the record.
    pub answer: String,
    /// When the answer came.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// A client read the result of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultRead {
    /// The job.
    pub key: JobKey,
    /// Whether the result came, whole.
    pub readable: bool,
    /// When it was asked for.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// A client followed a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The job.
    pub key: JobKey,
    /// The revisions in the order in which it was told them.
    pub revisions: Vec<u64>,
    /// Whether it stayed until it was told the end.
    pub stayed: bool,
}

/// A message stood in the job stream or the schedules at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// Its subject.
    pub subject: String,
    /// Its sequence in its stream.
    pub sequence: u64,
    /// The job, where the subject or the sequence names one.
    #[serde(default)]
    pub key: Option<JobKey>,
}

/// Somebody broke something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `kill`, `pause`, `resume`, `server-kill`, `cut`, `heal`, `purge`, `revoke`, `consumer` or another word.
    pub fault: String,
    /// When it began.
    pub at: Timestamp,
    /// The host that it hit; none: any.
    #[serde(default)]
    pub host: Option<String>,
    /// The job that it hit; none: any.
    #[serde(default)]
    pub key: Option<JobKey>,
}

/// A recorder was there: it saw each revision of this range that the capture has, and knows that there were no others
/// than these numbers. It looked up what is left before the range's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first revision after it had subscribed.
    pub first: u64,
    /// The bucket's last revision when it ended; `first` - 1 where nothing was stored.
    pub last: u64,
}

impl Fault {
    /// The word for a message or a stream that was removed: its jobs are not promised to run.
    pub const PURGE: &'static str = "purge";
    /// Words for what costs no claim. Every other one, known or not, may cost a job one claim.
    pub const HARMLESS: [&'static str; 4] = ["resume", "heal", "purge", "revoke"];
    /// Words for the end of what lasts.
    pub const OVER: [&'static str; 2] = ["resume", "heal"];
    /// Words for what lasts on its host until one of [`Self::OVER`].
    pub const LASTING: [&'static str; 2] = ["pause", "cut"];
}

/// The system was idle at the end: nothing was queued, and nothing happened any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// When.
    pub at: Timestamp,
}
