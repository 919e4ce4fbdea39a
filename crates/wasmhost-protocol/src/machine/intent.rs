//! Intended writes of a record: what is to be written, by whom, and why the state machine may refuse it. The
//! transitions are those of
//! [states.md](https://github.com/wasmhost/wasmhost/blob/main/docs/states.md#transitions).

use std::time::Duration;

use crate::digest::Digest;
use crate::ids::{HostId, Inbox, JobKey, QueueName, StateName};
use crate::json::Json;
use crate::record::{BlobRef, DeliveryOrdinal, End, Revoke, StateLabel, Token, Usage, WriteId};
use crate::timestamp::Timestamp;

/// A claim may come this much earlier than `not_before`, because the clocks of hosts differ.
pub const CLAIM_CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// A `WriteIntent` is one intended write of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteIntent {
    /// What is to happen to the job.
    pub transition: Transition,
    /// Who writes it.
    pub writer: Writer,
    /// The time of the writer's clock.
    pub now: Timestamp,
    /// The id of this write, which is the same when it is tried again.
    pub write: WriteId,
}

/// A `Writer` is who writes a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The writer is the owner of the claim with this token.
    Owner(Token),
    /// The writer is a host that has a delivery of the job's message and owns no claim of the job.
    Host,
    /// The writer is a client, or a service on behalf of one.
    Client,
    /// The writer is the reconciler of any host.
    Reconciler,
}

/// A `Transition` is what an intended write makes of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Transition {
    /// A client records a job before it publishes the job's message.
    Submit(JobSpec),
    /// A client touches a record, which changes nothing but its revision and its write id. Whoever holds an
    /// older revision can no longer write over it.
    Touch,
    /// A host claims the job for its next attempt.
    Claim(Box<Claim>),
    /// The owner shows a custom state that the task published.
    Progress {
        /// The custom state.
        state: StateName,
        /// The JSON that goes with the state.
        meta: Option<Json>,
    },
    /// The owner names the attempt's newest checkpoint, which is stored already.
    Checkpoint(BlobRef),
    /// The attempt ended, and another one follows.
    Retry {
        /// Why another attempt follows, for people.
        reason: String,
        /// The time before which no attempt starts.
        not_before: Timestamp,
        /// Whether the attempt counts against `max_attempts`.
        charge: bool,
        /// What the attempt used.
        usage: Option<Usage>,
    },
    /// The attempt ended the job; or a host or the reconciler ends a recorded job with a failure that no
    /// attempt produced.
    Finish {
        /// SUCCESS or FAILURE.
        end: End,
        /// What the attempt used.
        usage: Option<Usage>,
        /// The powers that the attempt asked for and was denied.
        denied: Vec<String>,
    },
    /// A recorded job ends in REVOKED.
    Revoked {
        /// The reason, where the record has no revoke yet.
        reason: String,
        /// What the attempt used.
        usage: Option<Usage>,
    },
    /// A job ends of which nothing is recorded.
    EndUnrecorded {
        /// What the message says of the job.
        job: JobSpec,
        /// FAILURE or REVOKED.
        end: End,
        /// The reason, where the end is REVOKED.
        reason: String,
    },
    /// A client asks a claimed job to stop, or to stop earlier.
    RequestRevoke(Revoke),
}

/// A `JobSpec` is what the submitter of a job says of it, and what the first record of the job has before any
/// attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSpec {
    /// The job's key.
    pub key: JobKey,
    /// The queue that the job waits in.
    pub queue: QueueName,
    /// When the job was submitted; for a raw job, when its message was stored.
    pub submitted_at: Timestamp,
    /// When a delayed job is due.
    pub not_before: Option<Timestamp>,
    /// The time after which no attempt starts.
    pub expires_at: Option<Timestamp>,
    /// The attempts in all, where the submitter says so.
    pub max_attempts: Option<u32>,
    /// The digest of the arguments' canonical form.
    pub args_digest: Option<Digest>,
    /// The version of the module that the job pins.
    pub digest: Option<Digest>,
    /// The job that this one came from.
    pub parent: Option<JobKey>,
    /// The inbox that is told the end of the job.
    pub notify: Option<Inbox>,
    /// The revision of the delete marker that the record is written over, where the id was used before.
    pub after: Option<u64>,
}

/// A `Claim` is what a host claims a job with.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What the message says of the job. It is used only where no record was read.
    pub job: JobSpec,
    /// The claiming host.
    pub host: HostId,
    /// The new fence, which no earlier claim had.
    pub token: Token,
    /// The sequence of the message in the job stream.
    pub msg_seq: u64,
    /// The delivery that the claim comes from.
    pub delivery: DeliveryOrdinal,
    /// The version of the module that is current in the registry, where there is one. A digest in the record
    /// takes precedence.
    pub digest: Option<Digest>,
    /// The attempts in all by the module's policy. A number in the record takes precedence.
    pub max_attempts: Option<u32>,
    /// The claims that may end without an outcome, by the module's policy.
    pub max_lost: u32,
    /// Whether the record shows STARTED, by the module's policy.
    pub track_started: bool,
    /// Whether the claim takes the record over although its delivery is not newer, or is of another message:
    /// the host has found the record's own message to be gone, or has walked away from this revision as often
    /// as it may.
    pub adopt: bool,
}

/// `IllegalTransition` reports why a transition is not legal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IllegalTransition {
    /// There is no record that the write could change.
    #[error("there is no record")]
    Absent,
    /// The job is recorded already.
    #[error("there is a record already, {0}")]
    Exists(StateLabel),
    /// The job has ended, and nothing follows an end.
    #[error("the job has ended, {0}")]
    Ended(StateLabel),
    /// The transition is not one of the record's state.
    #[error("{transition} does not follow {state}")]
    WrongState {
        /// What the writer intended, as a phrase.
        transition: &'static str,
        /// The state of the record.
        state: StateLabel,
    },
    /// The writer owned an earlier claim, and another one has followed.
    #[error("the record is under another claim")]
    NotOwner,
    /// This kind of writer may never write this.
    #[error("{0} is not this writer's to write")]
    NotAllowed(&'static str),
    /// A revoke is recorded, after which only REVOKED may follow.
    #[error("a revoke is recorded")]
    Revoked,
    /// The time `expires_at` has passed, so that no attempt starts any more.
    #[error("the job has expired")]
    Expired,
    /// The job is not due yet.
    #[error("no attempt starts before {0}")]
    NotDue(Timestamp),
    /// More claims have ended without an outcome than the policy allows.
    #[error("{0} claims ended without an outcome")]
    TooManyLost(u32),
    /// No attempt is left of those that the job has in all.
    #[error("no attempt is left of {0}")]
    Exhausted(u32),
    /// The claim comes from a delivery that is not newer than the record's, or of another message, or has the
    /// record's token.
    #[error("the delivery is not newer than the claim")]
    Stale,
}
