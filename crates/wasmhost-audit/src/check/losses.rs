//! What is counted against a job has a cause (I11), and is never taken back.

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::timestamp::Timestamp;

use super::evidence::Evidence;
use super::found::Found;
use crate::capture::Fault;
use crate::history::{Start, is_claim};
use crate::report::Invariant;

/// A fault, with its end where it is one that lasts.
struct Episode<'a> {
    fault: &'a Fault,
    until: Option<Timestamp>,
}

/// `lost` is at most the number of faults that may have cost the job a claim between its first claim and the write (I11).
pub(super) fn lost_claims_have_a_fault(evidence: &Evidence<'_>, found: &mut Found) {
    let episodes = episodes(evidence);
    let clock = evidence.slack.clock;
    // After a cut it is not known when the first claim was, and so not which faults come after it.
    for (key, segment) in evidence.segments().filter(|(_, segment)| segment.start == Start::Fresh) {
        let Some(first) = segment.claims().next() else { continue };
        let from = first.stored_at.minus(clock);
        let unexplained = segment.steps.iter().filter(|step| step.facts.lost > 0).find_map(|step| {
            let may_have_cost =
                |episode: &&Episode<'_>| episode.befell(key, (from, step.stored_at.plus(clock)));
            let faults = u64::try_from(episodes.iter().filter(may_have_cost).count()).unwrap_or(u64::MAX);
            (step.facts.lost > faults).then_some((step, faults))
        });
        if let Some((step, faults)) = unexplained {
            let seen = format!("lost is {}, and {faults} faults may have cost it a claim", step.facts.lost);
            found.violation(Invariant::I11, key, &[step.revision], seen);
        }
    }
}

/// The faults that may cost a job a claim.
fn episodes<'a>(evidence: &Evidence<'a>) -> Vec<Episode<'a>> {
    let harmful = evidence.faults.iter().filter(|fault| !Fault::HARMLESS.contains(&fault.fault.as_str()));
    let over = |fault: &Fault| {
        let ends = |end: &&&Fault| Fault::OVER.contains(&end.fault.as_str()) && end.host == fault.host;
        evidence.faults.iter().filter(ends).map(|end| end.at).filter(|at| *at >= fault.at).min()
    };
    harmful
        .map(|&fault| {
            let lasts = Fault::LASTING.contains(&fault.fault.as_str());
            // The end of a fault may be missing in the capture: then it may have lasted to the end of the run.
            let forever = Timestamp::from_unix_ms(i64::MAX);
            Episode { fault, until: lasts.then(|| over(fault).unwrap_or(forever)) }
        })
        .collect()
}

impl Episode<'_> {
    /// Whether the fault may have hit the job between the two times.
    fn befell(&self, key: &JobKey, (from, to): (Timestamp, Timestamp)) -> bool {
        let of_another_job = self.fault.key.as_ref().is_some_and(|hit| hit != key);
        !of_another_job && self.fault.at <= to && self.until.unwrap_or(self.fault.at) >= from
    }
}

/// `charged` and `lost` never fall, and no job is claimed whose attempts are used up.
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
            // The first claim sets `max_attempts` where the job names none: the record before it may lack it.
            let exhausted = to.facts.max_attempts.filter(|max| from.facts.charged >= *max);
            if let Some(max) = exhausted.filter(|_| is_claim(from, to)) {
                let seen = format!("claimed with {} of {max} attempts charged", from.facts.charged);
                found.violation(Invariant::Counters, key, &[from.revision, to.revision], seen);
            }
        }
    }
}
