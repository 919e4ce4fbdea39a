//! What is to be written, by whom, and why it may be refused.

use std::time::Duration;

use crate::digest::Digest;
use crate::ids::{HostId, JobKey, QueueName, StateName};
use crate::json::Json;
use crate::record::{BlobRef, DeliveryOrdinal, End, Revoke, StateLabel, Token, Usage, WriteId};
use crate::timestamp::Timestamp;

/// How much earlier than `not_before` a claim may come: clocks of hosts differ.
pub const CLAIM_CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// One intended write.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteIntent {
    /// What happens.
    pub transition: Transition,
    /// Who writes it.
    pub writer: Writer,
    /// The writer's clock.
    pub now: Timestamp,
    /// This write's own id, the same when it is tried again.
    pub write: WriteId,
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The owner of the claim with this token.
    Owner(Token),
    /// A host that holds a delivery of the job's message and owns no claim.
    Host,
    /// A client, or a service on behalf of one.
    Client,
    /// The reconciler.
    Reconciler,
}

/// What happens to a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Transition {
    /// T0: a client records a job before it publishes it.
    Submit(JobSpec),
    /// T0b: a client makes sure that the record still stands.
    Touch,
    /// T1 and T4: a host claims the job for its next attempt.
    Claim(Box<Claim>),
    /// T2: the running attempt shows a custom state.
    Progress {
        /// The state.
        state: StateName,
        /// Its meta.
        meta: Option<Json>,
    },
    /// T2: the running attempt's newest checkpoint.
    Checkpoint(BlobRef),
    /// T3: the attempt ended, another follows.
    Retry {
        /// Why, for people.
        reason: String,
        /// No attempt starts before this.
        not_before: Timestamp,
        /// Whether the attempt counts against `max_attempts`.
        charge: bool,
        /// What it used.
        usage: Option<Usage>,
    },
    /// T5: the attempt ended the job, with success or failure. T8: a failure that no attempt produced, of a recorded job.
    Finish {
        /// SUCCESS or FAILURE.
        end: End,
        /// What the attempt used.
        usage: Option<Usage>,
        /// Powers that it was denied.
        denied: Vec<String>,
    },
    /// T6, T6b, T7: REVOKED, of a recorded job.
    Revoked {
        /// Why, where the record has no revoke yet.
        reason: String,
        /// What the attempt used.
        usage: Option<Usage>,
    },
    /// T6 and T8 from absent: the job ends before anything was recorded of it.
    EndUnrecorded {
        /// What the message says of the job.
        job: JobSpec,
        /// FAILURE or REVOKED.
        end: End,
        /// Why, where it is REVOKED.
        reason: String,
    },
    /// T9: a request that the running job stop.
    RequestRevoke(Revoke),
}

/// What a record knows of a job before any attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSpec {
    /// The job's key.
    pub key: JobKey,
    /// The queue.
    pub queue: QueueName,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When a scheduled job is due.
    pub not_before: Option<Timestamp>,
    /// After this time no attempt starts.
    pub expires_at: Option<Timestamp>,
    /// Attempts in all.
    pub max_attempts: Option<u32>,
    /// Digest of the arguments.
    pub args_digest: Option<Digest>,
    /// The pinned version of the module.
    pub digest: Option<Digest>,
    /// The job that submits this one.
    pub parent: Option<JobKey>,
    /// The revision of the delete marker that it is written over.
    pub after: Option<u64>,
}

/// A host's claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What the message says of the job; used where no record was read.
    pub job: JobSpec,
    /// The claiming host.
    pub host: HostId,
    /// The new fence.
    pub token: Token,
    /// The message in the job stream.
    pub msg_seq: u64,
    /// The delivery that the claim comes from.
    pub delivery: DeliveryOrdinal,
    /// The module's digest as this host's registry has it; a record's own digest wins.
    pub digest: Option<Digest>,
    /// Attempts in all by the module's policy; the job's own number wins.
    pub max_attempts: Option<u32>,
    /// Claims that may end without an outcome.
    pub max_lost: u32,
    /// Whether STARTED is shown.
    pub track_started: bool,
    /// R4: the record's own message is gone, and this one of the same key takes its place.
    pub adopt: bool,
}

/// Why a transition is not legal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Illegal {
    /// There is no record to change.
    #[error("there is no record")]
    Absent,
    /// There is a record already.
    #[error("there is a record already, {0}")]
    Exists(StateLabel),
    /// Nothing follows a terminal state.
    #[error("the job has ended, {0}")]
    Ended(StateLabel),
    /// The event does not follow from this state.
    #[error("{event} does not follow {state}")]
    Wrong {
        /// The event.
        event: &'static str,
        /// The state.
        state: StateLabel,
    },
    /// The record is under another claim.
    #[error("the record is under another claim")]
    NotOwner,
    /// This writer may never write this.
    #[error("{0} is not this writer's to write")]
    NotAllowed(&'static str),
    /// A revoke is recorded: REVOKED is all that may follow.
    #[error("a revoke is recorded")]
    Revoked,
    /// No attempt starts any more.
    #[error("the job has expired")]
    Expired,
    /// Too early.
    #[error("no attempt starts before {0}")]
    Early(Timestamp),
    /// Too many claims ended without an outcome.
    #[error("{0} claims ended without an outcome")]
    Lost(u32),
    /// No attempt is left.
    #[error("no attempt is left of {0}")]
    Exhausted(u32),
    /// The claim comes from a delivery that is not newer, or of another message.
    #[error("the delivery is not newer than the claim")]
    Stale,
}
