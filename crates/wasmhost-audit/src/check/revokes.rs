//! What may follow a revoke, and that clients got the answer that the record has (I7).

use super::evidence::Evidence;
use super::found::Found;
use crate::facts::is_terminal;
use crate::history::{Segment, Step, is_claim};
use crate::report::Invariant;

/// After a revoke comes REVOKED, or another revoke with an earlier time, and nothing else.
pub(super) fn revokes_hold(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, segment) in evidence.segments() {
        // No pair below has the first record as the later one.
        let first = segment.steps.first().filter(|first| first.facts.stop_at.is_some());
        if let Some(first) = first.filter(|first| is_other_end(first)) {
            found.violation(
                Invariant::I7,
                key,
                &[first.revision],
                format!("{} with a revoke", first.facts.state),
            );
        }
        for (from, to) in segment.pairs() {
            if let Some(seen) = breach(from, to) {
                found.violation(Invariant::I7, key, &[from.revision, to.revision], seen);
            }
        }
    }
}

fn breach(from: &Step<'_>, to: &Step<'_>) -> Option<String> {
    let state = to.facts.state;
    // What follows an end breaks I1, and is reported there.
    if from.facts.is_terminal() {
        return None;
    }
    let Some(stop_at) = from.facts.stop_at else {
        return (to.facts.stop_at.is_some() && is_other_end(to)).then(|| format!("{state} with a revoke"));
    };
    match to.facts.stop_at {
        _ if is_other_end(to) => Some(format!("{state} after a revoke")),
        None => Some(format!("{state} took the revoke away")),
        Some(moved) if moved > stop_at => Some(format!("stop_at moved from {stop_at} to {moved}")),
        Some(_) if to.facts.is_terminal() => None,
        Some(_) if is_claim(from, to) => {
            Some(format!("claimed as attempt {} after a revoke", to.facts.attempt))
        }
        Some(_) if state != from.facts.state => Some(format!("{state} after a revoke")),
        Some(moved) if moved == stop_at => Some(format!("{state} written again after a revoke")),
        Some(_) => None,
    }
}

fn is_other_end(step: &Step<'_>) -> bool {
    step.facts.is_terminal() && step.facts.state != "REVOKED"
}

/// A client that got an end as its answer got the end that the record has.
pub(super) fn answers_match_the_record(evidence: &Evidence<'_>, found: &mut Found) {
    if !evidence.saw_everything() {
        return;
    }
    for revoke in evidence.revokes.iter().filter(|revoke| is_terminal(&revoke.answer)) {
        // An id may be used again: the answer may be the end of any of its uses.
        let ends: Vec<_> = evidence.of_job(&revoke.key).iter().filter_map(Segment::end).collect();
        if ends.iter().any(|end| end.facts.state == revoke.answer) {
            continue;
        }
        let revisions: Vec<_> = ends.iter().map(|end| end.revision).collect();
        let recorded = ends.last().map_or("no end", |end| end.facts.state);
        let seen = format!("a client got the answer {}, and the record has {recorded}", revoke.answer);
        found.violation(Invariant::I7, &revoke.key, &revisions, seen);
    }
}
