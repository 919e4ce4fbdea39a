//! What a delivery may do, given what stands under its job's key; the rules R2 to R4, R6b, R8 and R14. Pure. What only the
//! host can find out (whether another message still stands, whether it runs the attempt itself) it is asked for.

use std::time::Duration;

use crate::digest::Digest;
use crate::machine::{Claim, Illegal, Transition, WriteIntent, Writer, transition};
use crate::policy::RetryPolicy;
use crate::record::{End, ErrorKind, JobError, Marker, Record, StoredEntry, WriteId};
use crate::timestamp::Timestamp;

/// Deliveries of a message since its last claim before it is taken for poison (R2).
const POISON_DELIVERIES: u64 = 20;
/// How long a record of a newer version is left to a newer host (R6b).
const NEWER_RECORD_DELAY: Duration = Duration::from_secs(30);

/// What follows for a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum ClaimDecision {
    /// Write this claim; on success the attempt is ours.
    Claim {
        /// The record to write.
        record: Box<Record>,
        /// Over this revision.
        expected: u64,
    },
    /// Write this end of the job, then remove the message.
    End {
        /// The record to write.
        record: Box<Record>,
        /// Over this revision.
        expected: u64,
    },
    /// The job has ended, or the message belongs to one that has.
    Ack,
    /// Not yet.
    Delay(Duration),
    /// Another message of the key holds the record: find out whether it still stands (R4).
    LookUpMessage {
        /// Its sequence in the job stream.
        msg_seq: u64,
    },
    /// The record's delivery is not older: walk away (R3).
    Stale {
        /// The record's revision.
        revision: u64,
    },
    /// Keep a copy for people, and remove the message.
    DeadLetter {
        /// One word.
        reason: &'static str,
        /// One sentence.
        why: String,
    },
}

/// What stands, what came, and when.
pub struct ClaimInput<'a> {
    /// What stands under the key.
    pub stored: &'a StoredEntry,
    /// The PENDING record's revision, where the message is believed without a read (R0).
    pub trusted_revision: Option<u64>,
    /// The claim that the delivery would make.
    pub claim: &'a Claim,
    /// `Wasmhost-Revision` of the message.
    pub revision: Option<u64>,
    /// When the message was stored.
    pub stored_at: Timestamp,
    /// Whether a digest is of the message's body; asked only where a record names one.
    pub is_of_body: &'a dyn Fn(Digest) -> bool,
    /// The host's clock.
    pub now: Timestamp,
    /// When the bucket of records was made.
    pub bucket_created: Timestamp,
    /// The id of the write that may follow.
    pub write: WriteId,
    /// How long the record of an ended job of this module lives.
    pub result_ttl: Duration,
    /// Why the message cannot be read as a job.
    pub unreadable: Option<&'a str>,
}

/// Judges.
#[must_use]
pub fn decide_claim(case: &ClaimInput<'_>) -> ClaimDecision {
    if let Some(revision) = case.trusted_revision {
        return unrecorded(case, revision, None);
    }
    match case.stored {
        StoredEntry::Absent if has_long_ended(case) => ClaimDecision::Ack,
        StoredEntry::Absent => unrecorded(case, 0, None),
        StoredEntry::Deleted(marker) if belongs_to_ended(case, marker) => ClaimDecision::Ack,
        StoredEntry::Deleted(marker) => unrecorded(case, marker.revision, Some(marker.revision)),
        StoredEntry::Record { record, revision } => recorded(case, record, *revision),
        StoredEntry::Unreadable { why, .. } => {
            ClaimDecision::DeadLetter { reason: "UnreadableRecord", why: why.clone() }
        }
        StoredEntry::Newer { .. } => ClaimDecision::Delay(NEWER_RECORD_DELAY),
    }
}

/// R14: the message belongs to a run whose record is gone. The revision that it names tells it of any deletion and of any
/// time to live; one that names none is told by when it was stored, where the record lived as long as results do.
fn belongs_to_ended(case: &ClaimInput<'_>, marker: &Marker) -> bool {
    match case.revision {
        Some(revision) => revision < marker.revision,
        None => marker.expired && case.stored_at < marker.at.minus(case.result_ttl),
    }
}

/// The message names a record that was deleted so long ago that its marker is gone as well. Only ended records expire; one
/// that the server lost in a crash is told by its message's youth, and one that was lost with its bucket by the bucket's.
fn has_long_ended(case: &ClaimInput<'_>) -> bool {
    case.revision.is_some()
        && case.stored_at.plus(Marker::LIFE) < case.now
        && case.stored_at >= case.bucket_created
}

fn unrecorded(case: &ClaimInput<'_>, expected: u64, after: Option<u64>) -> ClaimDecision {
    let mut claim = case.claim.clone();
    claim.job.after = after;
    if let Some(error) = end_without_run(case, None) {
        return end_absent(case, &claim, expected, End::Failure(error));
    }
    match transition(None, &change(case, Transition::Claim(Box::new(claim.clone())))) {
        Ok(record) => ClaimDecision::Claim { record: Box::new(record), expected },
        Err(Illegal::Expired) => end_absent(case, &claim, expected, End::Revoked),
        Err(why) => ClaimDecision::DeadLetter { reason: "Unclaimable", why: why.to_string() },
    }
}

fn end_absent(case: &ClaimInput<'_>, claim: &Claim, expected: u64, end: End) -> ClaimDecision {
    let event = Transition::EndUnrecorded { job: claim.job.clone(), end, reason: "expired".to_owned() };
    match transition(None, &change(case, event)) {
        Ok(record) => ClaimDecision::End { record: Box::new(record), expected },
        Err(why) => ClaimDecision::DeadLetter { reason: "Unclaimable", why: why.to_string() },
    }
}

fn recorded(case: &ClaimInput<'_>, record: &Record, revision: u64) -> ClaimDecision {
    if record.is_terminal() || record.is_of_later_run_than(case.revision, case.stored_at) {
        return ClaimDecision::Ack;
    }
    if record.args_digest.is_some_and(|digest| !(case.is_of_body)(digest)) {
        let why = "its arguments are not those that the record was made for".to_owned();
        return ClaimDecision::DeadLetter { reason: "ArgumentsMismatch", why };
    }
    let other = record.msg_seq.filter(|seq| *seq != case.claim.msg_seq);
    if let Some(msg_seq) = other.filter(|_| !case.claim.adopt) {
        return ClaimDecision::LookUpMessage { msg_seq };
    }
    if record.delivery.is_some_and(|held| other.is_none() && held >= case.claim.delivery) && !case.claim.adopt
    {
        return ClaimDecision::Stale { revision };
    }
    if let Some(error) = end_without_run(case, Some(record)).filter(|_| record.revoke.is_none()) {
        return end(case, record, revision, finish(error));
    }
    match transition(Some(record), &change(case, Transition::Claim(Box::new(case.claim.clone())))) {
        Ok(record) => ClaimDecision::Claim { record: Box::new(record), expected: revision },
        Err(Illegal::Revoked | Illegal::Expired) => {
            end(case, record, revision, Transition::Revoked { reason: "expired".to_owned(), usage: None })
        }
        // A scheduled job may wait for years: it is looked at again meanwhile, for the server counts delays in nanoseconds.
        Err(Illegal::Early(not_before)) => {
            ClaimDecision::Delay(not_before.since(case.now).min(RetryPolicy::LONGEST_DELAY))
        }
        Err(Illegal::Stale) => ClaimDecision::Stale { revision },
        Err(why) => match failure_of_refused_claim(&why) {
            Some(error) => end(case, record, revision, finish(error)),
            None => ClaimDecision::DeadLetter { reason: "Unclaimable", why: why.to_string() },
        },
    }
}

/// The failure that a claim which the state machine refused for good ends the job with; none where the job may go on.
fn failure_of_refused_claim(illegal: &Illegal) -> Option<JobError> {
    match illegal {
        Illegal::Lost(_) => Some(JobError::new(ErrorKind::WorkerLost, illegal.to_string())),
        Illegal::Exhausted(_) => Some(JobError::new(ErrorKind::Exhausted, illegal.to_string())),
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

/// Why the job cannot run whatever its state: unreadable, or poison.
fn end_without_run(case: &ClaimInput<'_>, record: Option<&Record>) -> Option<JobError> {
    if let Some(bad) = case.unreadable {
        return Some(JobError::new(ErrorKind::BadJob, bad));
    }
    let now = case.claim.delivery;
    let since = record.and_then(|record| record.delivery).filter(|held| held.created == now.created);
    let count = now.count.saturating_sub(since.map_or(0, |held| held.count));
    let message = || format!("delivered {count} times without a claim");
    (count > POISON_DELIVERIES && !record.is_some_and(waits))
        .then(|| JobError::new(ErrorKind::Poison, message()))
}

/// Whether hosts give the job's deliveries back on purpose: until it is due, or a suspect's turn comes.
fn waits(record: &Record) -> bool {
    record.stage.not_before().is_some() || record.lost + 1 >= RetryPolicy::SUSPECT_LOST
}

fn finish(error: JobError) -> Transition {
    Transition::Finish { end: End::Failure(error), usage: None, denied: Vec::new() }
}

fn end(case: &ClaimInput<'_>, record: &Record, expected: u64, event: Transition) -> ClaimDecision {
    match transition(Some(record), &change(case, event)) {
        Ok(record) => ClaimDecision::End { record: Box::new(record), expected },
        Err(why) => ClaimDecision::DeadLetter { reason: "Unclaimable", why: why.to_string() },
    }
}

fn change(case: &ClaimInput<'_>, event: Transition) -> WriteIntent {
    WriteIntent { transition: event, writer: Writer::Host, now: case.now, write: case.write }
}

#[cfg(test)]
mod tests;
