//! Decides what a host does with one delivery, given the stored entry of its job.
//!
//! The decision is a pure function. What only the host can find out is asked of it: whether another message
//! of the key is still stored, and whether the host runs this very attempt itself. The rules are
//! [R2](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r2) to R4 on claims and
//! [R14](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r14) on ids that are used again.

use std::time::Duration;

use super::long_ended::UnrecordedMessage;
use crate::dead_letter::DeadLetterKind;
use crate::digest::Digest;
use crate::machine::{Claim, IllegalTransition, Transition, WriteIntent, Writer, transition};
use crate::policy::RetryPolicy;
use crate::record::{End, ErrorKind, JobError, Marker, Record, StoredEntry, WriteId};
use crate::timestamp::Timestamp;

/// A message that was delivered more often than this since the job's last claim is poison: something about it
/// keeps hosts from even claiming it. Restarts of the server and of hosts deliver a healthy one again a few
/// times, and each delivery of a poisonous one may cost a host its life.
const POISON_DELIVERIES: u64 = 20;
/// A job whose record has a newer version is left to a newer host for this long at a time. An upgrade takes
/// minutes: asking more often would only load the server.
const NEWER_RECORD_DELAY: Duration = Duration::from_secs(30);

/// A `ClaimDecision` is what a host does with one delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum ClaimDecision {
    /// The host writes this claim. Once the write is confirmed, the attempt is the host's.
    Claim {
        /// The record to write.
        record: Box<Record>,
        /// The revision that the write expects.
        expected: u64,
    },
    /// The host writes this end of the job and then removes the message.
    End {
        /// The record to write.
        record: Box<Record>,
        /// The revision that the write expects.
        expected: u64,
    },
    /// The host acknowledges the message: its job has ended, or it belongs to an earlier use of the id.
    Ack,
    /// The host gives the delivery back for this long.
    Delay(Duration),
    /// The record belongs to another message of the key. The host finds out whether that message is still
    /// stored, and decides again.
    LookUpMessage {
        /// The sequence of the other message in the job stream.
        msg_seq: u64,
    },
    /// The delivery is not newer than the record's. The host walks away without an answer.
    Stale {
        /// The revision of the record.
        revision: u64,
    },
    /// The host stores a dead-letter copy of the message, removes the message and leaves the record as it is.
    DeadLetter {
        /// The kind of the copy.
        kind: DeadLetterKind,
        /// The reason as one sentence, for people.
        reason: String,
    },
}

/// A `ClaimInput` is what [`decide_claim`] knows of a delivery: what is stored, what was delivered, and when.
pub struct ClaimInput<'a> {
    /// The stored entry of the job.
    pub stored: &'a StoredEntry,
    /// The revision of the PENDING record, where the host believes the message instead of reading the record.
    /// `stored` is then not used.
    pub trusted_revision: Option<u64>,
    /// The claim that the delivery would make.
    pub claim: &'a Claim,
    /// The revision that the message names in `Wasmhost-Revision`.
    pub revision: Option<u64>,
    /// When the message was stored.
    pub stored_at: Timestamp,
    /// Returns whether a digest is that of the message's body. It is called only where the record has a
    /// digest.
    pub is_of_body: &'a dyn Fn(Digest) -> bool,
    /// The time of the host's clock.
    pub now: Timestamp,
    /// When the states bucket was created.
    pub bucket_created: Timestamp,
    /// The id of the write that may follow.
    pub write: WriteId,
    /// How long the record of an ended job of this module is kept.
    pub result_ttl: Duration,
    /// The reason for which the message cannot be read as a job, where it cannot.
    pub unreadable: Option<&'a str>,
}

/// Decides what a host does with one delivery.
#[must_use]
pub fn decide_claim(input: &ClaimInput<'_>) -> ClaimDecision {
    if let Some(revision) = input.trusted_revision {
        return claim_unrecorded(input, revision, None);
    }
    match input.stored {
        StoredEntry::Absent if has_long_ended(input) => ClaimDecision::Ack,
        StoredEntry::Absent => claim_unrecorded(input, 0, None),
        StoredEntry::Deleted(marker) if belongs_to_ended(input, marker) => ClaimDecision::Ack,
        StoredEntry::Deleted(marker) => claim_unrecorded(input, marker.revision, Some(marker.revision)),
        StoredEntry::Record { record, revision } => claim_recorded(input, record, *revision),
        // Nobody who keeps this protocol wrote it, so that only a person can say what it is.
        StoredEntry::Unreadable { why, .. } => {
            ClaimDecision::DeadLetter { kind: DeadLetterKind::UnreadableRecord, reason: why.clone() }
        }
        // During an upgrade old and new hosts serve the same queue. However often the old ones give the
        // message back, it is not poison.
        StoredEntry::Newer { .. } => ClaimDecision::Delay(NEWER_RECORD_DELAY),
    }
}

/// Returns whether the message belongs to the job whose record was deleted and left this marker. Otherwise it
/// is a new use of the id.
fn belongs_to_ended(input: &ClaimInput<'_>, marker: &Marker) -> bool {
    match input.revision {
        // Revisions only rise, so that the two can be compared, whoever deleted the record and whenever.
        Some(revision) => revision < marker.revision,
        // A raw message names no revision. Where the record expired, it was kept as long as results are, so
        // that a message that is older than that was stored before the job ended. After a deletion by a
        // client nothing tells, and a job that runs twice is the smaller loss.
        None => marker.expired && input.stored_at < marker.at.minus(input.result_ttl),
    }
}

fn has_long_ended(input: &ClaimInput<'_>) -> bool {
    let ClaimInput { revision, stored_at, bucket_created, now, .. } = *input;
    UnrecordedMessage { revision, stored_at, bucket_created, now }.has_long_ended()
}

/// Decides about a job of which no record was read. `after` is the revision of the delete marker that is
/// written over.
fn claim_unrecorded(input: &ClaimInput<'_>, expected: u64, after: Option<u64>) -> ClaimDecision {
    let mut claim = input.claim.clone();
    claim.job.after = after;
    if let Some(error) = end_without_run(input, None) {
        return end_unrecorded(input, &claim, expected, End::Failure(error));
    }
    match transition(None, &intent(input, Transition::Claim(Box::new(claim.clone())))) {
        Ok(record) => ClaimDecision::Claim { record: Box::new(record), expected },
        Err(IllegalTransition::Expired) => end_unrecorded(input, &claim, expected, End::Revoked),
        Err(illegal) => unclaimable(&illegal),
    }
}

fn end_unrecorded(input: &ClaimInput<'_>, claim: &Claim, expected: u64, end: End) -> ClaimDecision {
    let ending = Transition::EndUnrecorded { job: claim.job.clone(), end, reason: "expired".to_owned() };
    match transition(None, &intent(input, ending)) {
        Ok(record) => ClaimDecision::End { record: Box::new(record), expected },
        Err(illegal) => unclaimable(&illegal),
    }
}

/// Decides about a job whose record was read. The order of the questions is that of the protocol: what must
/// not be touched at all comes first, then whose message the record belongs to, then what ends the job, then
/// the claim.
fn claim_recorded(input: &ClaimInput<'_>, record: &Record, revision: u64) -> ClaimDecision {
    if record.is_terminal() || record.is_of_later_run_than(input.revision, input.stored_at) {
        return ClaimDecision::Ack;
    }
    // Without this comparison, arguments that nobody submitted would run under a job that somebody else
    // watches.
    if record.args_digest.is_some_and(|digest| !(input.is_of_body)(digest)) {
        let reason = "its arguments are not those that the record was made for".to_owned();
        return ClaimDecision::DeadLetter { kind: DeadLetterKind::ArgumentsMismatch, reason };
    }
    if let Some(decision) = decide_by_message(input, record, revision) {
        return decision;
    }
    // A recorded revoke comes before poison and unreadable headers: a revoked job ends in REVOKED.
    if let Some(error) = end_without_run(input, Some(record)).filter(|_| record.revoke.is_none()) {
        return end(input, record, revision, finish(error));
    }
    match transition(Some(record), &intent(input, Transition::Claim(Box::new(input.claim.clone())))) {
        Ok(record) => ClaimDecision::Claim { record: Box::new(record), expected: revision },
        Err(illegal) => refused_claim(input, record, revision, &illegal),
    }
}

/// Decides where the record belongs to another message, or to a delivery of this message that is not older.
/// Returns `None` where this delivery may claim or end the job.
fn decide_by_message(input: &ClaimInput<'_>, record: &Record, revision: u64) -> Option<ClaimDecision> {
    if input.claim.adopt {
        return None;
    }
    match record.msg_seq.filter(|seq| *seq != input.claim.msg_seq) {
        // A duplicate must not be acknowledged unseen: the other message may be gone, and then this is the
        // job's last one.
        Some(msg_seq) => Some(ClaimDecision::LookUpMessage { msg_seq }),
        None => record
            .delivery
            .is_some_and(|delivery| delivery >= input.claim.delivery)
            .then_some(ClaimDecision::Stale { revision }),
    }
}

/// Decides what follows where the state machine refuses the claim.
fn refused_claim(
    input: &ClaimInput<'_>,
    record: &Record,
    revision: u64,
    illegal: &IllegalTransition,
) -> ClaimDecision {
    match illegal {
        IllegalTransition::Revoked | IllegalTransition::Expired => {
            end(input, record, revision, Transition::Revoked { reason: "expired".to_owned(), usage: None })
        }
        // A delayed job may wait for years. The delay is bounded, because the server counts delays in
        // nanoseconds, and the record is read again meanwhile.
        IllegalTransition::NotDue(not_before) => {
            ClaimDecision::Delay(not_before.since(input.now).min(RetryPolicy::LONGEST_DELAY))
        }
        IllegalTransition::Stale => ClaimDecision::Stale { revision },
        IllegalTransition::TooManyLost(_) => {
            end(input, record, revision, finish(JobError::new(ErrorKind::WorkerLost, illegal.to_string())))
        }
        IllegalTransition::Exhausted(_) => {
            end(input, record, revision, finish(JobError::new(ErrorKind::Exhausted, illegal.to_string())))
        }
        IllegalTransition::Absent
        | IllegalTransition::Exists(_)
        | IllegalTransition::Ended(_)
        | IllegalTransition::WrongState { .. }
        | IllegalTransition::NotOwner
        | IllegalTransition::NotAllowed(_) => unclaimable(illegal),
    }
}

/// Returns the failure of a job that cannot run in any state: its message is unreadable, or it is poison.
fn end_without_run(input: &ClaimInput<'_>, record: Option<&Record>) -> Option<JobError> {
    if let Some(why) = input.unreadable {
        return Some(JobError::new(ErrorKind::BadJob, why));
    }
    // Deliveries before the last claim do not count: that claim proves that a host could claim the job. A
    // consumer that was recreated counts from one again, so that nothing is subtracted from its count.
    let delivery = input.claim.delivery;
    let last_claim =
        record.and_then(|record| record.delivery).filter(|last_claim| last_claim.created == delivery.created);
    let count = delivery.count.saturating_sub(last_claim.map_or(0, |last_claim| last_claim.count));
    let is_poison = count > POISON_DELIVERIES && !record.is_some_and(is_given_back_on_purpose);
    is_poison.then(|| JobError::new(ErrorKind::Poison, format!("delivered {count} times without a claim")))
}

/// Returns whether hosts give the job's deliveries back on purpose, so that their number says nothing: until
/// the job is due, or until a suspect may begin.
fn is_given_back_on_purpose(record: &Record) -> bool {
    // The next claim raises `lost` by one, and a job is a suspect where that makes it `SUSPECT_LOST`.
    record.state.not_before().is_some() || record.lost + 1 >= RetryPolicy::SUSPECT_LOST
}

fn finish(error: JobError) -> Transition {
    Transition::Finish { end: End::Failure(error), usage: None, denied: Vec::new() }
}

fn end(input: &ClaimInput<'_>, record: &Record, expected: u64, ending: Transition) -> ClaimDecision {
    match transition(Some(record), &intent(input, ending)) {
        Ok(record) => ClaimDecision::End { record: Box::new(record), expected },
        Err(illegal) => unclaimable(&illegal),
    }
}

/// Returns the decision for a job that can be neither claimed nor ended. Its message goes to the dead
/// letters, since it would otherwise be delivered for ever.
fn unclaimable(illegal: &IllegalTransition) -> ClaimDecision {
    ClaimDecision::DeadLetter { kind: DeadLetterKind::Unclaimable, reason: illegal.to_string() }
}

fn intent(input: &ClaimInput<'_>, transition: Transition) -> WriteIntent {
    WriteIntent { transition, writer: Writer::Host, now: input.now, write: input.write }
}

#[cfg(test)]
mod tests;
