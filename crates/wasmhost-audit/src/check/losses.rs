//! I11 and the counters: what is counted against a job befell it, and is never taken back.

use wasmhost_protocol::{JobKey, Timestamp};

use super::Found;
use super::evidence::Evidence;
use crate::capture::Fault;
use crate::history::{Segment, Start, Step, is_claim};
use crate::report::Invariant;

/// I11: `lost` is at most the number of faults that may have cost the job a claim, from its first claim to the write.
pub(super) fn lost_claims_have_a_fault(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, segment) in evidence.segments().filter(|(_, segment)| segment.start == Start::Fresh) {
        let Some(first) = segment.claims().next() else { continue };
        if let Some((step, faults)) = first_unexplained(evidence, (key, segment), first.stored_at) {
            let seen = format!("lost is {}, and {faults} faults may have cost it a claim", step.facts.lost);
            found.violation(Invariant::I11, key, &[step.revision], seen);
        }
    }
}

fn first_unexplained<'s, 'a>(
    evidence: &Evidence<'_>,
    (key, segment): (&JobKey, &'s Segment<'a>),
    claimed: Timestamp,
) -> Option<(&'s Step<'a>, u64)> {
    segment.steps.iter().filter(|step| step.facts.lost > 0).find_map(|step| {
        let befell = |fault: &&&Fault| may_have_cost(evidence, fault, key, (claimed, step.stored_at));
        let faults = u64::try_from(evidence.faults.iter().filter(befell).count()).unwrap_or(u64::MAX);
        (step.facts.lost > faults).then_some((step, faults))
    })
}

/// Whether the fault may have cost the job a claim between the two times.
fn may_have_cost(
    evidence: &Evidence<'_>,
    fault: &Fault,
    key: &JobKey,
    (from, to): (Timestamp, Timestamp),
) -> bool {
    let clock = evidence.slack.clock;
    let of_another_job = fault.key.as_ref().is_some_and(|hit| hit != key);
    if of_another_job || Fault::HARMLESS.contains(&fault.fault.as_str()) || fault.at > to.plus(clock) {
        return false;
    }
    if fault.at >= from.minus(clock) {
        return true;
    }
    // One that lasts may have begun before the claim.
    let ends = |end: &&&Fault| {
        ["resume", "heal"].contains(&end.fault.as_str()) && end.host == fault.host && end.at >= fault.at
    };
    let end = evidence.faults.iter().filter(ends).map(|end| end.at).min();
    Fault::LASTING.contains(&fault.fault.as_str()) && end.is_none_or(|end| end >= from.minus(clock))
}

/// `charged` and `lost` never fall, and a claim needs an attempt that is left.
pub(super) fn counters_only_rise(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, segment) in evidence.segments() {
        for (from, to) in segment.pairs() {
            for (name, before, after) in
                [("charged", from.facts.charged, to.facts.charged), ("lost", from.facts.lost, to.facts.lost)]
            {
                if after < before {
                    let seen = format!("{name} fell from {before} to {after}");
                    found.violation(Invariant::Counters, key, &[from.revision, to.revision], seen);
                }
            }
            let exhausted = to.facts.max_attempts.filter(|max| from.facts.charged >= *max);
            if let Some(max) = exhausted.filter(|_| is_claim(from, to)) {
                let seen = format!("claimed with {} of {max} attempts charged", from.facts.charged);
                found.violation(Invariant::Counters, key, &[from.revision, to.revision], seen);
            }
        }
    }
}
