//! What a delivery may do, given what stands under its job's key. Pure; the rules R2 to R4, R6b, R8 and R14.

use std::time::Duration;

use wasmhost_nats::digest_of;
use wasmhost_protocol::{
    Change, Claim, End, ErrorKind, Event, Illegal, JobError, Marker, Record, Stage, Standing, Timestamp,
    WriteId, Writer, next,
};

use crate::delivery::Delivery;

/// Deliveries of a message since its last claim before it is taken for poison (R2).
const POISON_DELIVERIES: u64 = 20;
/// How long a record of a newer version is left to a newer host (R6b).
const NEWER_RECORD_DELAY: Duration = Duration::from_secs(30);

/// What follows for a delivery.
#[derive(Debug)]
pub(crate) enum Judgement {
    /// Write this claim; on success the attempt is ours.
    Claim { record: Box<Record>, expected: u64 },
    /// Write this end of the job, then remove the message.
    End { record: Box<Record>, expected: u64 },
    /// The job has ended, or the message belongs to one that has.
    Ack,
    /// Not yet.
    Rest(Duration),
    /// Another message of the key holds the record: find out whether it still stands (R4).
    Look { msg_seq: u64 },
    /// The record's delivery is not older: walk away (R3).
    Stale { revision: u64 },
    /// Keep a copy for people, and remove the message.
    Dead { reason: &'static str, why: String },
}

/// What stands, what came, and when.
pub(crate) struct Case<'a> {
    pub(crate) standing: &'a Standing,
    /// The PENDING record's revision, where the message is believed without a read (R0).
    pub(crate) believed: Option<u64>,
    pub(crate) delivery: &'a Delivery,
    pub(crate) claim: &'a Claim,
    pub(crate) now: Timestamp,
    pub(crate) write: WriteId,
    /// How long the record of an ended job of this module lives.
    pub(crate) result_ttl: Duration,
    /// The message cannot be read as a job.
    pub(crate) bad: Option<&'a str>,
}

/// Judges.
pub(crate) fn judge(case: &Case<'_>) -> Judgement {
    if let Some(revision) = case.believed {
        return unrecorded(case, revision, None);
    }
    match case.standing {
        Standing::Absent => unrecorded(case, 0, None),
        Standing::Deleted(marker) if belongs_to_ended(case, marker) => Judgement::Ack,
        Standing::Deleted(marker) => unrecorded(case, marker.revision, Some(marker.revision)),
        Standing::Record { record, revision } => recorded(case, record, *revision),
        Standing::Unreadable { why, .. } => Judgement::Dead { reason: "UnreadableRecord", why: why.clone() },
        Standing::Newer { .. } => Judgement::Rest(NEWER_RECORD_DELAY),
    }
}

/// R14: the message was stored before the run that ended had ended.
fn belongs_to_ended(case: &Case<'_>, marker: &Marker) -> bool {
    marker.expired && case.delivery.stored_at < marker.at.minus(case.result_ttl)
}

fn unrecorded(case: &Case<'_>, expected: u64, after: Option<u64>) -> Judgement {
    let mut claim = case.claim.clone();
    claim.job.after = after;
    if let Some(error) = hopeless(case, None) {
        return end_absent(case, &claim, expected, End::Failure(error));
    }
    match next(None, &change(case, Event::Claim(Box::new(claim.clone())))) {
        Ok(record) => Judgement::Claim { record: Box::new(record), expected },
        Err(Illegal::Expired) => end_absent(case, &claim, expected, End::Revoked),
        Err(why) => Judgement::Dead { reason: "Unclaimable", why: why.to_string() },
    }
}

fn end_absent(case: &Case<'_>, claim: &Claim, expected: u64, end: End) -> Judgement {
    let event = Event::EndUnrecorded { job: claim.job.clone(), end, reason: "expired".to_owned() };
    match next(None, &change(case, event)) {
        Ok(record) => Judgement::End { record: Box::new(record), expected },
        Err(why) => Judgement::Dead { reason: "Unclaimable", why: why.to_string() },
    }
}

fn recorded(case: &Case<'_>, record: &Record, revision: u64) -> Judgement {
    if record.is_terminal() || of_run_before(case, record) {
        return Judgement::Ack;
    }
    if record.args_digest.is_some_and(|digest| digest != digest_of(case.delivery.body())) {
        let why = "its arguments are not those that the record was made for".to_owned();
        return Judgement::Dead { reason: "ArgumentsMismatch", why };
    }
    let other = record.msg_seq.filter(|seq| *seq != case.delivery.msg_seq);
    if let Some(msg_seq) = other.filter(|_| !case.claim.adopt) {
        return Judgement::Look { msg_seq };
    }
    if record.delivery.is_some_and(|held| other.is_none() && held >= case.delivery.delivery)
        && !case.claim.adopt
    {
        return Judgement::Stale { revision };
    }
    if let Some(error) = hopeless(case, Some(record)).filter(|_| record.revoke.is_none()) {
        return end(case, record, revision, finish(error));
    }
    match next(Some(record), &change(case, Event::Claim(Box::new(case.claim.clone())))) {
        Ok(record) => Judgement::Claim { record: Box::new(record), expected: revision },
        Err(Illegal::Revoked | Illegal::Expired) => {
            end(case, record, revision, Event::Revoked { reason: "expired".to_owned(), usage: None })
        }
        Err(Illegal::Early(not_before)) => Judgement::Rest(not_before.since(case.now)),
        Err(Illegal::Stale) => Judgement::Stale { revision },
        Err(why) => match JobError::of_refused_claim(&why) {
            Some(error) => end(case, record, revision, finish(error)),
            None => Judgement::Dead { reason: "Unclaimable", why: why.to_string() },
        },
    }
}

/// R14: a PENDING written over an expired record belongs to a later use of the id than this message.
fn of_run_before(case: &Case<'_>, record: &Record) -> bool {
    let Some(after) = record.after else { return false };
    match case.delivery.options.revision {
        Some(revision) => revision < after,
        None => case.delivery.stored_at < record.submitted_at,
    }
}

/// Why the job cannot run whatever its state: unreadable, or poison.
fn hopeless(case: &Case<'_>, record: Option<&Record>) -> Option<JobError> {
    if let Some(bad) = case.bad {
        return Some(JobError::new(ErrorKind::BadJob, bad));
    }
    let now = case.delivery.delivery;
    let resting = record.is_some_and(|record| matches!(record.stage, Stage::Retry { .. }));
    let since = record.and_then(|record| record.delivery).filter(|held| held.created == now.created);
    let count = now.count.saturating_sub(since.map_or(0, |held| held.count));
    let message = || format!("delivered {count} times without a claim");
    (count > POISON_DELIVERIES && !resting).then(|| JobError::new(ErrorKind::Poison, message()))
}

fn finish(error: JobError) -> Event {
    Event::Finish { end: End::Failure(error), usage: None, denied: Vec::new() }
}

fn end(case: &Case<'_>, record: &Record, expected: u64, event: Event) -> Judgement {
    match next(Some(record), &change(case, event)) {
        Ok(record) => Judgement::End { record: Box::new(record), expected },
        Err(why) => Judgement::Dead { reason: "Unclaimable", why: why.to_string() },
    }
}

fn change(case: &Case<'_>, event: Event) -> Change {
    Change { event, writer: Writer::Host, now: case.now, write: case.write }
}
