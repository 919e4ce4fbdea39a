//! The state machine: the one place that decides whether a transition is legal. Pure: time and randomness come in.
//!
//! The rows are those of the protocol: T0 to T9; T10 and T11 delete. Who compares-and-sets, and on which revision, is the
//! adapter's part; what only the message or the host can tell (R3's third time, a guest that stopped) is the host's.

mod guards;

#[cfg(test)]
mod histories;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod table;

use std::time::Duration;

use crate::{
    BlobRef, DeliveryOrdinal, Digest, End, ErrorKind, HostId, JobError, JobKey, JobState, Json, QueueName,
    Record, Revoke, RunningLabel, StateLabel, StateName, Timestamp, Token, Usage, WriteId,
};

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

/// The record that follows `record` by `change`, or why none does.
pub fn transition(record: Option<&Record>, intent: &WriteIntent) -> Result<Record, Illegal> {
    let Some(record) = record else { return from_absent(intent) };
    if record.is_terminal() {
        return Err(Illegal::Ended(record.state()));
    }
    let mut after = record.clone();
    after.updated_at = intent.now;
    after.write = intent.write;
    match &intent.transition {
        Transition::Submit(_) | Transition::EndUnrecorded { .. } => {
            return Err(Illegal::Exists(record.state()));
        }
        Transition::Touch => guards::touch(record, intent)?,
        Transition::Claim(claim) => apply_claim(&mut after, record, claim, intent)?,
        Transition::Progress { state, meta } => {
            guards::owner(record, intent, "a custom state")?;
            after.stage = JobState::Running(RunningLabel::Custom(state.clone()));
            after.meta.clone_from(meta);
        }
        Transition::Checkpoint(blob) => {
            guards::owner(record, intent, "a checkpoint")?;
            after.checkpoint = Some(blob.clone());
        }
        Transition::Retry { reason, not_before, charge, usage } => {
            guards::retry(record, intent, *charge)?;
            after.stage = JobState::Retry { not_before: *not_before };
            after.meta = Json::of(&serde_json::json!({ "reason": reason })).ok();
            after.charged += u32::from(*charge);
            after.usage = usage.or(record.usage);
        }
        Transition::Finish { end, usage, denied } => {
            guards::finish(record, intent, end)?;
            after.stage = JobState::Ended { end: end.clone(), finished_at: intent.now };
            after.charged += u32::from(matches!(intent.writer, Writer::Owner(_)));
            after.usage = usage.or(record.usage);
            after.denied.clone_from(denied);
        }
        Transition::Revoked { reason, usage } => {
            guards::revoked(record, intent)?;
            end_revoked(&mut after, reason, intent.now);
            after.usage = usage.or(record.usage);
        }
        Transition::RequestRevoke(revoke) => after.revoke = Some(guards::earlier(record, revoke, intent)?),
    }
    Ok(after)
}

fn from_absent(intent: &WriteIntent) -> Result<Record, Illegal> {
    match (&intent.transition, intent.writer) {
        (Transition::Submit(job), Writer::Client) => Ok(pending(job, intent)),
        (Transition::Submit(_), _) => Err(Illegal::NotAllowed("PENDING")),
        (Transition::Claim(claim), _) => {
            let before = pending(&claim.job, intent);
            let mut after = before.clone();
            apply_claim(&mut after, &before, claim, intent)?;
            Ok(after)
        }
        (Transition::EndUnrecorded { job, end, reason }, _) => {
            let before = pending(job, intent);
            match end {
                End::Revoked => guards::revoked(&before, intent)?,
                End::Success(_) | End::Failure(_) => guards::finish(&before, intent, end)?,
            }
            Ok(end_unrecorded(job, end.clone(), reason, intent))
        }
        (
            Transition::Touch
            | Transition::Progress { .. }
            | Transition::Checkpoint(_)
            | Transition::Retry { .. }
            | Transition::Finish { .. }
            | Transition::Revoked { .. }
            | Transition::RequestRevoke(_),
            _,
        ) => Err(Illegal::Absent),
    }
}

fn end_unrecorded(job: &JobSpec, end: End, reason: &str, intent: &WriteIntent) -> Record {
    let mut record = pending(job, intent);
    match end {
        End::Revoked => end_revoked(&mut record, reason, intent.now),
        End::Success(_) | End::Failure(_) => record.stage = JobState::Ended { end, finished_at: intent.now },
    }
    record
}

fn end_revoked(record: &mut Record, reason: &str, now: Timestamp) {
    record.stage = JobState::Ended { end: End::Revoked, finished_at: now };
    // Cut here too: whoever wrote the request, its record must end.
    let (reason, stop_at) = match &record.revoke {
        Some(revoke) => (guards::cut(&revoke.reason), revoke.stop_at),
        None => (guards::cut(reason), now),
    };
    record.revoke = Some(Revoke { reason, stop_at });
}

fn pending(job: &JobSpec, intent: &WriteIntent) -> Record {
    Record {
        stage: JobState::Pending { not_before: job.not_before },
        meta: None,
        task: job.key.task().clone(),
        id: job.key.id().clone(),
        attempt: 0,
        max_attempts: job.max_attempts,
        queue: job.queue.clone(),
        host: None,
        submitted_at: job.submitted_at,
        started_at: None,
        updated_at: intent.now,
        expires_at: job.expires_at,
        digest: job.digest,
        usage: None,
        args_digest: job.args_digest,
        parent: job.parent.clone(),
        revoke: None,
        denied: Vec::new(),
        checkpoint: None,
        token: None,
        write: intent.write,
        charged: 0,
        lost: 0,
        delivery: None,
        msg_seq: None,
        after: job.after,
        unknown: Vec::new(),
    }
}

fn apply_claim(
    after: &mut Record,
    record: &Record,
    claim: &Claim,
    intent: &WriteIntent,
) -> Result<(), Illegal> {
    after.lost = guards::claim(record, claim, intent)?;
    after.attempt += 1;
    after.stage =
        JobState::Running(if claim.track_started { RunningLabel::Started } else { RunningLabel::Pending });
    after.meta = None;
    after.max_attempts = record.max_attempts.or(claim.max_attempts);
    after.host = Some(claim.host.clone());
    after.started_at = Some(intent.now);
    after.digest = record.digest.or(claim.digest);
    after.token = Some(claim.token);
    after.delivery = Some(claim.delivery);
    after.msg_seq = Some(claim.msg_seq);
    after.usage = None;
    Ok(())
}

impl JobError {
    /// The failure that a claim which [`next`] refused for good ends the job with; none where the job may go on.
    #[must_use]
    pub fn of_refused_claim(illegal: &Illegal) -> Option<Self> {
        match illegal {
            Illegal::Lost(_) => Some(Self::new(ErrorKind::WorkerLost, illegal.to_string())),
            Illegal::Exhausted(_) => Some(Self::new(ErrorKind::Exhausted, illegal.to_string())),
            Illegal::Absent
            | Illegal::Exists(_)
            | Illegal::Ended(_)
            | Illegal::Wrong { .. }
            | Illegal::NotOwner
            | Illegal::NotAllowed(_)
            | Illegal::Revoked
            | Illegal::Expired
            | Illegal::Early(_)
            | Illegal::Stale => None,
        }
    }
}
