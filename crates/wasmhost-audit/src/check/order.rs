//! Nothing follows the end of a job (I1), there is exactly one (I2), and an ended job is never claimed again (I13).

use super::evidence::Evidence;
use super::found::Found;
use crate::capture::Marker;
use crate::facts::Phase;
use crate::history::{Stop, is_claim};
use crate::report::Invariant;

/// Nothing follows an end (I1). What follows also breaks I2 where it is another end, and I13 where it is a claim.
pub(super) fn nothing_follows_an_end(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, segment) in evidence.segments() {
        let mut end = None;
        for step in &segment.steps {
            let state = step.facts.state;
            let Some((ended, before)) = end else {
                end = step.facts.is_terminal().then_some((step, step));
                continue;
            };
            let revisions = [ended.revision, step.revision];
            found.violation(Invariant::I1, key, &revisions, format!("{state} follows {}", ended.facts.state));
            if step.facts.is_terminal() {
                let seen = format!("ended {} and {state}", ended.facts.state);
                found.violation(Invariant::I2, key, &revisions, seen);
            }
            if is_claim(before, step) {
                let seen = format!("claimed as attempt {} after {}", step.facts.attempt, ended.facts.state);
                found.violation(Invariant::I13, key, &revisions, seen);
            }
            end = Some((ended, step));
        }
    }
}

/// A record that is deleted has ended, or nobody had claimed it and its client withdrew it (I2).
pub(super) fn nothing_vanishes_before_its_end(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, segment) in evidence.segments() {
        let (Stop::Deleted(marker, _), Some(last)) = (segment.stop, segment.last()) else { continue };
        let given_up = marker == Marker::Delete && last.facts.phase() == Phase::Waiting;
        if segment.end().is_none() && !given_up {
            let seen = format!("deleted ({marker:?}) while {}", last.facts.state);
            found.violation(Invariant::I2, key, &[last.revision], seen);
        }
    }
}
