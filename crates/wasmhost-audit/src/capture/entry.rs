//! The kinds of entries of a capture. Fields have the names that they have in the file, and an unknown field is an error.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::timestamp::Timestamp;

/// One thing that was seen of a run, or done to the system. In a file `kind` names the variant.
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
    /// A message remained in the job stream or the schedules at the end. In a file its kind is `left`.
    #[serde(rename = "left")]
    Remaining(Remaining),
    /// A fault was injected, or happened.
    Fault(Fault),
    /// A recorder says what it recorded.
    Span(Span),
    /// The system was idle at the end.
    Quiet(Quiet),
}

/// The answer that a submitter got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The job is accepted.
    Accepted,
    /// The job is refused and will not run.
    Refused,
    /// The answer was lost, so that the job may be accepted or not.
    Unknown,
}

/// A client submitted a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submit {
    /// The job.
    pub key: JobKey,
    /// The client's answer.
    pub answer: Answer,
    /// When the answer came, where it is known.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The digest of the arguments that were sent, where it is known.
    #[serde(default)]
    pub args_digest: Option<String>,
}

/// The states bucket stored a revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The key that the value was stored under.
    pub key: JobKey,
    /// The revision's number, unique in the bucket.
    pub revision: u64,
    /// The key's revision before this one, 0 where there was none. It is absent where the revision was read from the bucket
    /// later, because the bucket does not keep it.
    #[serde(default)]
    pub previous: Option<u64>,
    /// When the revision was stored, by the server's clock.
    pub stored_at: Timestamp,
    /// The value: an object for a record, a string for a value that is not JSON, null for a delete marker.
    #[serde(default)]
    pub record: Value,
    /// Why the delete marker was written, where the revision is one.
    #[serde(default)]
    pub marker: Option<Marker>,
}

/// Why a delete marker was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Marker {
    /// The server wrote it because the record's time to live ended.
    MaxAge,
    /// The server wrote it because the record was removed.
    Remove,
    /// A client deleted the record.
    #[serde(rename = "DEL")]
    Delete,
    /// A client or the server purged the record.
    // The words are those of the headers: `PURGE` where a client purged the record, `Purge` where the server did.
    #[serde(rename = "PURGE", alias = "Purge")]
    Purge,
}

/// A log line of a guest that names an effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The job that the guest ran for, according to its host.
    pub key: JobKey,
    /// The attempt that the guest ran as, according to its host.
    pub attempt: u64,
    /// When the effect happened, by the clock of the guest's host.
    pub at: Timestamp,
    /// What the guest did. [`Effect::START`] is the first effect of an attempt.
    pub effect: String,
}

impl Effect {
    /// The first effect of every attempt.
    pub const START: &'static str = "start";
}

/// A client asked that a job not run, or stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The job.
    pub key: JobKey,
    /// The state in the client's answer. Any other word says nothing about the record.
    pub answer: String,
    /// When the answer came, where it is known.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// A client read the result of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultRead {
    /// The job.
    pub key: JobKey,
    /// Whether the client got the whole result.
    pub readable: bool,
    /// When the client asked for it, where it is known.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// A client followed a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The job.
    pub key: JobKey,
    /// The revisions in the order in which the client saw them.
    pub revisions: Vec<u64>,
    /// Whether the client stayed until it saw the end.
    pub stayed: bool,
}

/// A message that remained in the job stream or the schedules at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remaining {
    /// The message's subject.
    pub subject: String,
    /// The message's sequence in its stream.
    pub sequence: u64,
    /// The job that the message is of; none where the message is of no job.
    #[serde(default)]
    pub key: Option<JobKey>,
}

/// A fault that was injected, or happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The kind of fault: `kill`, `pause`, `resume`, `server-kill`, `cut`, `heal`, `purge`, `revoke`, `consumer` or any other
    /// word.
    pub fault: String,
    /// When the fault began.
    pub at: Timestamp,
    /// The host that the fault hit; none where it may have hit any.
    #[serde(default)]
    pub host: Option<String>,
    /// The job that the fault hit; none where it may have hit any.
    #[serde(default)]
    pub key: Option<JobKey>,
}

/// The revisions that a recorder was there for. The capture has each of them that the recorder saw, and there were no others
/// than these numbers. Messages that remained were listed before the end of the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first revision after the recorder had subscribed.
    pub first: u64,
    /// The bucket's last revision when the recorder ended; `first` - 1 where nothing was stored.
    pub last: u64,
}

impl Fault {
    /// The removal of a message or of all messages of a stream, whose jobs are then not promised to run.
    pub const PURGE: &'static str = "purge";
    /// Faults that cost no claim. Every other one, known or not, may cost a job one claim.
    pub const HARMLESS: [&'static str; 4] = ["resume", "heal", "purge", "revoke"];
    /// The ends of faults that last.
    pub const OVER: [&'static str; 2] = ["resume", "heal"];
    /// Faults that last on their host until one of [`Self::OVER`].
    pub const LASTING: [&'static str; 2] = ["pause", "cut"];
}

/// The system was idle: nothing was queued, and nothing happened any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// When the system was idle.
    pub at: Timestamp,
}
