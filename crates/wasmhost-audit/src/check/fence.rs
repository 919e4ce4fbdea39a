//! I3, I4 and the table of transitions: only a claim changes token and attempt, both at once, and every other write is one
//! that the table has.

use std::collections::BTreeSet;

use super::Found;
use super::evidence::Evidence;
use crate::facts::Stand;
use crate::history::{Start, Step, is_claim};
use crate::report::Invariant;

/// I3.
pub(super) fn attempts_count_claims(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, segment) in evidence.segments() {
        if let (Start::Fresh, Some(first)) = (segment.start, segment.steps.first())
            && first.facts.attempt > 1
        {
            let seen = format!("began with attempt {}", first.facts.attempt);
            found.violation(Invariant::I3, key, &[first.revision], seen);
        }
        for (from, to) in segment.pairs() {
            let (before, after) = (from.facts.attempt, to.facts.attempt);
            if after < before || (is_claim(from, to) && after > before.saturating_add(1)) {
                let seen = format!("attempt {after} follows {before}");
                found.violation(Invariant::I3, key, &[from.revision, to.revision], seen);
            }
        }
    }
}

/// I4.
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

/// What is wrong with the token of a write, given those that claims had before.
fn breach(from: &Step<'_>, to: &Step<'_>, used: &BTreeSet<&str>) -> Option<String> {
    let (before, after) = (from.facts.attempt, to.facts.attempt);
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
        (_, Some(_)) if to.facts.stand() != Stand::Running || to.facts.is_custom() => {
            Some(format!("{state} of attempt {after} carries a token that no claim recorded"))
        }
        (_, Some(_)) => None,
    }
}

/// The protocol's table, from and to.
pub(super) fn transitions_are_of_the_table(evidence: &Evidence<'_>, found: &mut Found) {
    for (key, segment) in evidence.segments() {
        if let (Start::Fresh, Some(first)) = (segment.start, segment.steps.first())
            && !may_begin(first)
        {
            let seen = format!("began with {} of attempt {}", first.facts.state, first.facts.attempt);
            found.violation(Invariant::Transition, key, &[first.revision], seen);
        }
        for (from, to) in segment.pairs() {
            // What follows an end is I1's, and a change of the token I4's.
            if !from.facts.is_terminal() && !is_claim(from, to) && !may_follow(from, to) {
                let seen = format!("{} to {} without a claim", from.facts.state, to.facts.state);
                found.violation(Invariant::Transition, key, &[from.revision, to.revision], seen);
            }
        }
    }
}

/// T0, T1, T6 and T8 from absent.
fn may_begin(first: &Step<'_>) -> bool {
    match first.facts.stand() {
        Stand::Waiting => first.facts.token.is_none(),
        Stand::Running => first.facts.token.is_some(),
        Stand::Failure | Stand::Revoked => first.facts.attempt == 0,
        Stand::Retry | Stand::Success => false,
    }
}

/// Without a claim.
fn may_follow(from: &Step<'_>, to: &Step<'_>) -> bool {
    let same_word = from.facts.state == to.facts.state;
    let from = from.facts.stand();
    match to.facts.stand() {
        // T2 and T9.
        Stand::Running => from == Stand::Running && (same_word || to.facts.is_custom()),
        // T0b and T9.
        Stand::Waiting => from == Stand::Waiting,
        // T3 and T9.
        Stand::Retry => matches!(from, Stand::Running | Stand::Retry),
        // T5.
        Stand::Success => from == Stand::Running,
        // T5, T6 to T8.
        Stand::Failure | Stand::Revoked => true,
    }
}
