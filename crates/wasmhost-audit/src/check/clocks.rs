//! I14: a retry waits for its time.

use wasmhost_protocol::machine::CLAIM_CLOCK_TOLERANCE;

use super::Found;
use super::evidence::Evidence;
use crate::facts::Stand;
use crate::history::is_claim;
use crate::report::Invariant;

/// I14, by the server's clock: the protocol's own second, and what clocks may differ.
pub(super) fn claims_wait_for_not_before(evidence: &Evidence<'_>, found: &mut Found) {
    let early = CLAIM_CLOCK_TOLERANCE + evidence.slack.clock;
    for (key, segment) in evidence.segments() {
        for (from, to) in segment.pairs().filter(|(from, to)| is_claim(from, to)) {
            let Some(not_before) = from.facts.not_before.filter(|_| from.facts.stand() == Stand::Retry)
            else {
                continue;
            };
            if to.stored_at.plus(early) < not_before {
                let seen = format!("claimed at {}, not before {not_before}", to.stored_at);
                found.violation(Invariant::I14, key, &[from.revision, to.revision], seen);
            }
        }
    }
}
