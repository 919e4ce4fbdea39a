//! Guests run only under a recorded attempt (I10), and none starts after the end of its job (I13).

use super::evidence::Evidence;
use super::found::Found;
use crate::capture::Effect;
use crate::history::{Segment, Step};
use crate::report::Invariant;

/// Every effect comes after a claim of its attempt (I10). A start breaks I13 where each claim that it may belong to is one of
/// a job that had ended by then.
pub(super) fn effects_have_a_claim(evidence: &Evidence<'_>, found: &mut Found) {
    if !evidence.saw_everything() {
        return;
    }
    let clock = evidence.slack.clock;
    for effect in &evidence.effects {
        let claims: Vec<_> = claims_of(evidence, effect).collect();
        // The time of an effect is by its host's clock, that of a claim by the server's.
        let in_time = || claims.iter().filter(|(_, claim)| claim.stored_at <= effect.at.plus(clock));
        if in_time().next().is_none() {
            let revisions: Vec<_> = claims.iter().map(|(_, claim)| claim.revision).collect();
            found.violation(Invariant::I10, &effect.key, &revisions, unclaimed(effect, claims.first()));
            continue;
        }
        let latest = clock + evidence.slack.beat;
        let ended =
            |segment: &Segment<'_>| segment.end().is_some_and(|end| end.stored_at.plus(latest) < effect.at);
        // Only a start counts: a guest that runs when its job ends has effects until its host learns of the end.
        if effect.effect == Effect::START && in_time().all(|(segment, _)| ended(segment)) {
            let ends: Vec<_> = in_time().filter_map(|(segment, _)| Some(segment.end()?.revision)).collect();
            let seen = format!("attempt {} started at {}, after the end", effect.attempt, effect.at);
            found.violation(Invariant::I13, &effect.key, &ends, seen);
        }
    }
}

/// The claims with the effect's attempt: at most one for each use of the id.
fn claims_of<'e, 'a>(
    evidence: &'e Evidence<'a>,
    effect: &Effect,
) -> impl Iterator<Item = (&'e Segment<'a>, &'e Step<'a>)> {
    let attempt = effect.attempt;
    let segments = evidence.of_job(&effect.key).iter();
    segments.filter_map(move |segment| {
        Some((segment, segment.claims().find(|claim| claim.facts.attempt == attempt)?))
    })
}

fn unclaimed(effect: &Effect, claim: Option<&(&Segment<'_>, &Step<'_>)>) -> String {
    let Effect { attempt, at, effect, .. } = effect;
    match claim {
        Some((_, claim)) => {
            format!("`{effect}` of attempt {attempt} at {at}, claimed only at {}", claim.stored_at)
        }
        None => format!("`{effect}` of attempt {attempt} at {at}, which nobody claimed"),
    }
}
