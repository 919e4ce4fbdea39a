//! A retry and a delayed job wait for their time (I14).

use wasmhost_protocol::machine::CLAIM_CLOCK_TOLERANCE;

use super::evidence::Evidence;
use super::found::Found;
use crate::facts::Phase;
use crate::history::is_claim;
use crate::report::Invariant;

/// No claim of a retry or a delayed job is stored before `not_before` (I14). The server's clock counts; a claim may be early by the second that
/// the protocol allows and by the difference of the clocks.
pub(super) fn claims_wait_for_not_before(evidence: &Evidence<'_>, found: &mut Found) {
    let early = CLAIM_CLOCK_TOLERANCE + evidence.slack.clock;
    for (key, segment) in evidence.segments() {
        for (from, to) in segment.pairs().filter(|(from, to)| is_claim(from, to)) {
            let waits = matches!(from.facts.phase(), Phase::Waiting | Phase::Retry);
            let Some(not_before) = from.facts.not_before.filter(|_| waits) else { continue };
            if to.stored_at.plus(early) < not_before {
                let seen = format!("claimed at {}, not before {not_before}", to.stored_at);
                found.violation(Invariant::I14, key, &[from.revision, to.revision], seen);
            }
        }
    }
}
