//! Decides from a capture which promises were kept. It does no I/O. Each invariant, or group of invariants about one
//! subject, has a function of its own in a file of `check/`; all of them work on the same evidence.

mod client_views;
mod clocks;
mod effects;
mod endings;
mod evidence;
mod fence;
mod found;
mod identity;
mod losses;
mod order;
mod revokes;

use std::collections::{BTreeMap, BTreeSet};

use wasmhost_protocol::ids::JobKey;

use crate::capture::{Answer, Capture};
use crate::report::{Gap, Report, Verdict};
use crate::slack::Slack;
use evidence::Evidence;
use found::Found;

/// Checks every invariant on a capture, with the default slack.
#[must_use]
pub fn check(capture: &Capture) -> Report {
    check_within(capture, Slack::default())
}

/// Checks every invariant on a capture.
#[must_use]
pub fn check_within(capture: &Capture, slack: Slack) -> Report {
    let evidence = Evidence::of(capture, slack);
    let mut found = Found { violations: Vec::new(), gaps: evidence.histories.gaps.clone() };
    for check in [
        order::nothing_follows_an_end,
        order::nothing_vanishes_before_its_end,
        fence::attempts_count_claims,
        fence::tokens_fence,
        fence::transitions_are_of_the_table,
        endings::accepted_jobs_end,
        endings::accepted_jobs_are_published,
        revokes::revokes_hold,
        revokes::answers_match_the_record,
        client_views::results_are_readable,
        client_views::watchers_saw_the_end,
        effects::effects_have_a_claim,
        losses::lost_claims_have_a_fault,
        losses::counters_only_rise,
        clocks::claims_wait_for_not_before,
        identity::records_are_their_own,
        identity::writes_are_unique,
        identity::numbers_are_given_once,
        identity::arguments_are_those_accepted,
    ] {
        check(&evidence, &mut found);
    }
    // Without this gap a recording of nothing would count as proven.
    if evidence.accepted.is_empty() {
        found.gaps.push(Gap::Nothing);
    }
    report(&evidence, found)
}

fn report(evidence: &Evidence<'_>, found: Found) -> Report {
    let claims = || evidence.segments().flat_map(|(_, segment)| segment.claims());
    let submitted = evidence.submits.iter().filter(|submit| submit.answer != Answer::Refused);
    let keys: BTreeSet<&JobKey> =
        submitted.map(|submit| &submit.key).chain(evidence.histories.jobs.keys().copied()).collect();
    Report {
        verdict: verdict(&found),
        jobs: keys.len(),
        accepted: evidence.accepted.len(),
        revisions: evidence.bucket.len(),
        claims: claims().count(),
        takeovers: claims().filter(|step| step.facts.attempt > 1).count(),
        effects: evidence.effects.len(),
        ends: count(evidence.segments().filter_map(|(_, segment)| Some(segment.end()?.facts.state))),
        faults: count(evidence.faults.iter().map(|fault| fault.fault.as_str())),
        violations: found.violations,
        gaps: found.gaps,
    }
}

fn verdict(found: &Found) -> Verdict {
    match (found.violations.as_slice(), found.gaps.as_slice()) {
        ([_, ..], _) => Verdict::Broken,
        ([], []) => Verdict::Proven,
        ([], [gap]) => Verdict::NotProven(gap.to_string()),
        ([], [gap, more @ ..]) => Verdict::NotProven(format!("{gap}; and {} more", more.len())),
    }
}

fn count<'a>(words: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts
}
