//! The state machine: the one place that decides whether a transition is legal. Pure: time and randomness come in.
//!
//! The rows are those of the protocol: T0 to T11. Who compares-and-sets, and on which revision, is the adapter's part.

use std::time::Duration;

use crate::{
    BlobRef, Delivery, Digest, End, HostId, JobError, JobKey, Json, QueueName, Record, Revoke, Shown, Stage, State,
    StateName, Timestamp, Token, Usage, WriteId,
};

/// How much earlier than `not_before` a claim may come: clocks of hosts differ.
pub const EARLY: Duration = Duration::from_secs(1);

/// One intended write.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What happens.
    pub event: Event,
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
pub enum Event {
    /// T0: a client records a job before it publishes it.
    Submit(Submission),
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
    /// T5: the attempt ended the job, with success or failure. T8: a failure that no attempt produced.
    Finish {
        /// SUCCESS or FAILURE.
        end: End,
        /// What the attempt used.
        usage: Option<Usage>,
        /// Powers that it was denied.
        denied: Vec<String>,
    },
    /// T6, T6b, T7: REVOKED.
    Revoked {
        /// Why, where the record has no revoke yet.
        reason: String,
        /// What the attempt used.
        usage: Option<Usage>,
    },
    /// T9: a request that the running job stop.
    RequestRevoke(Revoke),
}

/// What a record knows of a job before any attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
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
    pub job: Submission,
    /// The claiming host.
    pub host: HostId,
    /// The new fence.
    pub token: Token,
    /// The message in the job stream.
    pub msg_seq: u64,
    /// The delivery that the claim comes from.
    pub delivery: Delivery,
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
    Exists(State),
    /// Nothing follows a terminal state.
    #[error("the job has ended, {0}")]
    Ended(State),
    /// The event does not follow from this state.
    #[error("{event} does not follow {state}")]
    Wrong {
        /// The event.
        event: &'static str,
        /// The state.
        state: State,
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
pub fn next(record: Option<&Record>, change: &Change) -> Result<Record, Illegal> {
    let Some(record) = record else { return from_absent(change) };
    if record.is_terminal() {
        return Err(Illegal::Ended(record.state()));
    }
    let mut after = record.clone();
    after.updated_at = change.now;
    after.write = change.write;
    match &change.event {
        Event::Submit(_) => return Err(Illegal::Exists(record.state())),
        Event::Touch => touch(record, change)?,
        Event::Claim(claim) => apply_claim(&mut after, record, claim, change)?,
        Event::Progress { state, meta } => {
            check_owner(record, change, "a custom state")?;
            after.stage = Stage::Running(Shown::Custom(state.clone()));
            after.meta.clone_from(meta);
        }
        Event::Checkpoint(blob) => {
            check_owner(record, change, "a checkpoint")?;
            after.checkpoint = Some(blob.clone());
        }
        Event::Retry { reason, not_before, charge, usage } => {
            check_owner(record, change, "RETRY")?;
            after.stage = Stage::Retry { not_before: *not_before };
            after.meta = Json::of(&serde_json::json!({ "reason": reason })).ok();
            after.charged += u32::from(*charge);
            after.usage = usage.or(record.usage);
        }
        Event::Finish { end, usage, denied } => {
            check_finish(record, change, end)?;
            after.stage = Stage::Ended { end: end.clone(), finished_at: change.now };
            after.charged += u32::from(matches!(change.writer, Writer::Owner(_)));
            after.usage = usage.or(record.usage);
            after.denied.clone_from(denied);
        }
        Event::Revoked { reason, usage } => {
            check_revoked(record, change)?;
            after.stage = Stage::Ended { end: End::Revoked, finished_at: change.now };
            after.usage = usage.or(record.usage);
            after.revoke.get_or_insert_with(|| Revoke { reason: reason.clone(), stop_at: change.now });
        }
        Event::RequestRevoke(revoke) => after.revoke = Some(earlier(record, revoke, change)?),
    }
    Ok(after)
}

fn from_absent(change: &Change) -> Result<Record, Illegal> {
    match (&change.event, change.writer) {
        (Event::Submit(job), Writer::Client) => Ok(pending(job, change)),
        (Event::Claim(claim), Writer::Host) => {
            let before = pending(&claim.job, change);
            let mut after = before.clone();
            apply_claim(&mut after, &before, claim, change)?;
            Ok(after)
        }
        (Event::Submit(_), _) => Err(Illegal::NotAllowed("PENDING")),
        (Event::Claim(_), _) => Err(Illegal::NotAllowed("a claim")),
        _ => Err(Illegal::Absent),
    }
}

/// T6 and T8 from absent: a job that ends before anything was recorded of it.
pub fn end_unrecorded(job: &Submission, end: End, reason: &str, change: &Change) -> Record {
    let mut record = pending(job, change);
    if end == End::Revoked {
        record.revoke = Some(Revoke { reason: reason.to_owned(), stop_at: change.now });
    }
    record.stage = Stage::Ended { end, finished_at: change.now };
    record
}

fn pending(job: &Submission, change: &Change) -> Record {
    Record {
        stage: Stage::Pending { not_before: job.not_before },
        meta: None,
        task: job.key.task().clone(),
        id: job.key.id().clone(),
        attempt: 0,
        max_attempts: job.max_attempts,
        queue: job.queue.clone(),
        host: None,
        submitted_at: job.submitted_at,
        started_at: None,
        updated_at: change.now,
        expires_at: job.expires_at,
        digest: job.digest,
        usage: None,
        args_digest: job.args_digest,
        parent: job.parent.clone(),
        revoke: None,
        denied: Vec::new(),
        checkpoint: None,
        token: None,
        write: change.write,
        charged: 0,
        lost: 0,
        delivery: None,
        msg_seq: None,
        after: job.after,
        unknown: Vec::new(),
    }
}

fn touch(record: &Record, change: &Change) -> Result<(), Illegal> {
    match (change.writer, record.attempt) {
        (Writer::Client, 0) => Ok(()),
        (Writer::Client, _) => Err(Illegal::Wrong { event: "a touch", state: record.state() }),
        (Writer::Owner(_) | Writer::Host | Writer::Reconciler, _) => Err(Illegal::NotAllowed("a touch")),
    }
}

fn apply_claim(after: &mut Record, record: &Record, claim: &Claim, change: &Change) -> Result<(), Illegal> {
    if change.writer != Writer::Host {
        return Err(Illegal::NotAllowed("a claim"));
    }
    after.lost = claimable(record, claim, change.now)?;
    after.attempt += 1;
    after.stage = Stage::Running(if claim.track_started { Shown::Started } else { Shown::Pending });
    after.meta = None;
    after.max_attempts = record.max_attempts.or(claim.max_attempts);
    after.host = Some(claim.host.clone());
    after.started_at = Some(change.now);
    after.digest = record.digest.or(claim.digest);
    after.token = Some(claim.token);
    after.delivery = Some(claim.delivery);
    after.msg_seq = Some(claim.msg_seq);
    after.usage = None;
    Ok(())
}

/// The guards of T1 and T4; what `lost` becomes.
fn claimable(record: &Record, claim: &Claim, now: Timestamp) -> Result<u32, Illegal> {
    if record.revoke.is_some() {
        return Err(Illegal::Revoked);
    }
    if record.is_expired(now) {
        return Err(Illegal::Expired);
    }
    let same_message = record.msg_seq.is_none_or(|seq| seq == claim.msg_seq);
    if !claim.adopt && (!same_message || record.delivery.is_some_and(|held| held >= claim.delivery)) {
        return Err(Illegal::Stale);
    }
    if let Stage::Retry { not_before } = record.stage
        && now < not_before.minus(EARLY)
    {
        return Err(Illegal::Early(not_before));
    }
    let lost = lost_after(record, claim);
    if lost > claim.max_lost {
        return Err(Illegal::Lost(lost));
    }
    match record.max_attempts.or(claim.max_attempts) {
        Some(max) if record.charged >= max => Err(Illegal::Exhausted(max)),
        Some(_) | None => Ok(lost),
    }
}

/// `lost` counts a claim that ended without an outcome, unless its consumer was re-created: its owner may be healthy.
fn lost_after(record: &Record, claim: &Claim) -> u32 {
    let running = matches!(record.stage, Stage::Running(_));
    let same_consumer = record.delivery.is_some_and(|held| held.created == claim.delivery.created);
    record.lost + u32::from(running && (same_consumer || claim.adopt))
}

fn check_owner(record: &Record, change: &Change, event: &'static str) -> Result<(), Illegal> {
    let Writer::Owner(token) = change.writer else { return Err(Illegal::NotAllowed(event)) };
    if record.token != Some(token) {
        return Err(Illegal::NotOwner);
    }
    if record.revoke.is_some() {
        return Err(Illegal::Revoked);
    }
    match record.stage {
        Stage::Running(_) => Ok(()),
        Stage::Pending { .. } | Stage::Retry { .. } | Stage::Ended { .. } => {
            Err(Illegal::Wrong { event, state: record.state() })
        }
    }
}

/// T5 for the owner, T8 for hosts and the reconciler.
fn check_finish(record: &Record, change: &Change, end: &End) -> Result<(), Illegal> {
    match (change.writer, end) {
        (_, End::Revoked) => Err(Illegal::NotAllowed("REVOKED as an outcome")),
        (Writer::Owner(_), End::Success(_) | End::Failure(_)) => check_owner(record, change, "an outcome"),
        (Writer::Host | Writer::Reconciler, End::Failure(_)) if record.revoke.is_some() => Err(Illegal::Revoked),
        (Writer::Host | Writer::Reconciler, End::Failure(_)) => Ok(()),
        (Writer::Host | Writer::Reconciler, End::Success(_)) | (Writer::Client, _) => {
            Err(Illegal::NotAllowed("an outcome"))
        }
    }
}

/// T6 for anyone while nothing runs, T6b for hosts and the reconciler, T7 for the owner.
fn check_revoked(record: &Record, change: &Change) -> Result<(), Illegal> {
    let running = matches!(record.stage, Stage::Running(_));
    let due = record.revoke.is_some() || record.is_expired(change.now);
    match change.writer {
        Writer::Owner(token) if record.token != Some(token) => Err(Illegal::NotOwner),
        Writer::Owner(_) if record.revoke.is_none() => {
            Err(Illegal::Wrong { event: "REVOKED without a revoke", state: record.state() })
        }
        Writer::Host | Writer::Reconciler if !due => {
            Err(Illegal::Wrong { event: "REVOKED without a revoke", state: record.state() })
        }
        Writer::Client if running => Err(Illegal::Wrong { event: "REVOKED by a client", state: record.state() }),
        Writer::Owner(_) | Writer::Host | Writer::Reconciler | Writer::Client => Ok(()),
    }
}

/// T9 only ever moves `stop_at` earlier.
fn earlier(record: &Record, revoke: &Revoke, change: &Change) -> Result<Revoke, Illegal> {
    if change.writer != Writer::Client {
        return Err(Illegal::NotAllowed("a revoke"));
    }
    match &record.revoke {
        None => Ok(revoke.clone()),
        Some(held) if revoke.stop_at < held.stop_at => {
            Ok(Revoke { reason: held.reason.clone(), stop_at: revoke.stop_at })
        }
        Some(_) => Err(Illegal::Revoked),
    }
}

impl JobError {
    /// The failure that a claim which [`next`] refused for good ends the job with; none where the job may go on.
    #[must_use]
    pub fn of_refused_claim(illegal: &Illegal) -> Option<Self> {
        match illegal {
            Illegal::Lost(_) => Some(Self::new(crate::ErrorKind::WorkerLost, illegal.to_string())),
            Illegal::Exhausted(_) => Some(Self::new(crate::ErrorKind::Exhausted, illegal.to_string())),
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
