//! Every accepted job ends (I5, I6), and one that nobody purged was published (I12).

use wasmhost_protocol::ids::JobKey;

use super::evidence::Evidence;
use super::found::Found;
use crate::history::{Segment, Stop};
use crate::report::{Gap, Invariant};

/// Every accepted job has ended, or waits for its time. Where its message is gone it breaks I5, else I6. Both can only be
/// decided when the system was seen idle and no revision is missing.
pub(super) fn accepted_jobs_end(evidence: &Evidence<'_>, found: &mut Found) {
    if !evidence.saw_everything() {
        return;
    }
    for key in &evidence.accepted {
        // The records of earlier uses of the id were deleted: whether those had ended is checked with I2.
        let newest = evidence.of_job(key).last();
        if newest.is_some_and(has_ended) || is_scheduled(evidence, key, newest) {
            continue;
        }
        if evidence.quiet.is_none() {
            found.gaps.push(Gap::NotIdle { key: (*key).clone() });
            continue;
        }
        let stands = evidence.remaining.iter().any(|message| message.key.as_ref() == Some(key));
        let (invariant, message) = match (stands, evidence.purged(key)) {
            (true, _) => (Invariant::I6, "its message stands"),
            (false, true) => (Invariant::I6, "its message was purged"),
            (false, false) => (Invariant::I5, "its message is gone"),
        };
        match newest.and_then(Segment::last) {
            Some(last) => {
                let seen = format!("accepted, and still {}; {message}", last.facts.state);
                found.violation(invariant, key, &[last.revision], seen);
            }
            None => found.violation(invariant, key, &[], format!("accepted, and has no record; {message}")),
        }
    }
}

fn has_ended(segment: &Segment<'_>) -> bool {
    segment.end().is_some()
}

/// Whether the job has a message and waits for a time that had not come when the system was idle.
fn is_scheduled(evidence: &Evidence<'_>, key: &JobKey, newest: Option<&Segment<'_>>) -> bool {
    let Some(last) = newest.filter(|segment| segment.stop == Stop::Open).and_then(Segment::last) else {
        return false;
    };
    // Without a time at which the system was idle, that of the job's last write is the latest that is known.
    let waits = last.facts.not_before > evidence.quiet.or(Some(last.stored_at));
    waits && evidence.remaining.iter().any(|message| message.key.as_ref() == Some(key))
}

/// No accepted job ends as `NotPublished` (I12). An id that was used more than once may have been accepted in another of its
/// uses, so all of its ends count.
pub(super) fn accepted_jobs_are_published(evidence: &Evidence<'_>, found: &mut Found) {
    for key in evidence.accepted.iter().filter(|key| !evidence.purged(key)) {
        let ends: Vec<_> = evidence.of_job(key).iter().filter_map(Segment::end).collect();
        let unpublished = ends.iter().all(|end| end.facts.error_kind == Some("NotPublished"));
        if let (Some(end), true, true) = (ends.last(), unpublished, evidence.saw_everything()) {
            found.violation(Invariant::I12, key, &[end.revision], "accepted, and NotPublished");
        }
    }
}
