//! Only a claim changes the token and the attempt, and it changes both (I3, I4). Every other write is one of the table of
//! transitions.

use std::collections::BTreeSet;

use super::evidence::Evidence;
use super::found::Found;
use crate::facts::Phase;
use crate::history::{Start, Step, is_claim};
use crate::report::Invariant;

/// The attempt starts at 0 or 1, and rises by one at each claim (I3).
pub(super) fn attempts_count_claims(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, segment) in evidence.segments() {
        if let (Start::Fresh, Some(first)) = (segment.start, segment.steps.first())
            && first.facts.attempt > 1
        {
            let seen = format!("began with attempt {}", first.facts.attempt);
            found.violation(Invariant::I3, key, &[first.revision], seen);
        }
        for (from, to) in segment.pairs() {
            let before = from.facts.attempt;
            let after = to.facts.attempt;
            // An attempt that stays the same at a claim, or rises without one, breaks I4 and is reported there.
            if after < before || (is_claim(from, to) && after > before.saturating_add(1)) {
                let seen = format!("attempt {after} follows {before}");
                found.violation(Invariant::I3, key, &[from.revision, to.revision], seen);
            }
        }
    }
}

/// Between two claims every write carries the token of the first one, and no token is used twice (I4).
pub(super) fn tokens_fence(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, segment) in evidence.segments() {
        let mut used: BTreeSet<&str> =
            segment.steps.first().and_then(|step| step.facts.token).into_iter().collect();
        for (from, to) in segment.pairs() {
            if let Some(seen) = breach(from, to, &used) {
                found.violation(Invariant::I4, key, &[from.revision, to.revision], seen);
            }
            used.extend(to.facts.token);
        }
    }
}

/// What is wrong with the token of a write, given the tokens that earlier claims used.
fn breach(from: &Step<'_>, to: &Step<'_>, used: &BTreeSet<&str>) -> Option<String> {
    let before = from.facts.attempt;
    let after = to.facts.attempt;
    let state = to.facts.state;
    match (from.facts.token, to.facts.token) {
        (held, token) if held == token => {
            (after > before).then(|| format!("attempt {after} follows {before} under the same token"))
        }
        (_, None) => Some(format!("{state} took the token away")),
        (_, Some(token)) if used.contains(token) => {
            Some(format!("{state} of attempt {after} carries the token of an earlier claim"))
        }
        (_, Some(_)) if after == before => {
            Some(format!("{state} of attempt {after} carries another token than its claim"))
        }
        // A claim is recorded as STARTED, or as PENDING where the policy hides that word, before the task can do
        // anything.
        (_, Some(_)) if to.facts.phase() != Phase::Running || to.facts.is_custom() => {
            Some(format!("{state} of attempt {after} carries a token that no claim recorded"))
        }
        (_, Some(_)) => None,
    }
}

/// Every write is a transition that the protocol's table has.
pub(super) fn transitions_are_of_the_table(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, segment) in evidence.segments() {
        if let (Start::Fresh, Some(first)) = (segment.start, segment.steps.first())
            && !may_begin(first)
        {
            let seen = format!("began with {} of attempt {}", first.facts.state, first.facts.attempt);
            found.violation(Invariant::Transition, key, &[first.revision], seen);
        }
        for (from, to) in segment.pairs() {
            // What follows an end breaks I1, and a change of the token I4: they are reported there.
            if !from.facts.is_terminal() && !is_claim(from, to) && !may_follow(from, to) {
                let seen = format!("{} to {} without a claim", from.facts.state, to.facts.state);
                found.violation(Invariant::Transition, key, &[from.revision, to.revision], seen);
            }
        }
    }
}

/// Whether a record may be the first of its job: submitted, claimed, or ended without a claim.
fn may_begin(first: &Step<'_>) -> bool {
    match first.facts.phase() {
        Phase::Waiting => first.facts.token.is_none(),
        Phase::Running => first.facts.token.is_some(),
        Phase::Failure | Phase::Revoked => first.facts.attempt == 0,
        Phase::Retry | Phase::Success => false,
    }
}

/// Whether a write without a claim may follow.
fn may_follow(from: &Step<'_>, to: &Step<'_>) -> bool {
    let same_word = from.facts.state == to.facts.state;
    let from = from.facts.phase();
    match to.facts.phase() {
        // The owner shows progress or names a checkpoint, or a client asks it to stop.
        Phase::Running => from == Phase::Running && (same_word || to.facts.is_custom()),
        // A client touches its record before it publishes again.
        Phase::Waiting => from == Phase::Waiting,
        // The attempt ended and another one follows, or a client asks the job to stop before that.
        Phase::Retry => matches!(from, Phase::Running | Phase::Retry),
        // Only an attempt succeeds.
        Phase::Success => from == Phase::Running,
        // An attempt fails, a client revokes the job, or a host gives it up without an attempt.
        Phase::Failure | Phase::Revoked => true,
    }
}
