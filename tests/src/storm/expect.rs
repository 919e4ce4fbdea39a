//! What the plan of a storm lets expect beside the auditor's invariants: the faults really happened, and the jobs ended as they
//! would without a storm.

use std::collections::{BTreeMap, BTreeSet};

use wasmhost_audit::{Capture, Entry, Fault, Revoke};

use super::{
    fault::Kind,
    history::Histories,
    job::{Ending, Job, Route},
    plan::Plan,
};

/// The least share of accepted jobs that end in SUCCESS, in percent. Without any fault it would be about 85, because some jobs
/// trap, fail for good or are revoked.
pub(super) const SUCCESS_PERCENT: usize = 70;

/// The least share of the planned faults of each kind that really happen, in percent. Some find no host to hit.
const HAPPENED_PERCENT: usize = 50;

/// What did not go as planned, one line each.
pub(super) fn complaints(plan: &Plan, capture: &Capture, happened: &BTreeMap<Kind, usize>) -> Vec<String> {
    let histories = Histories::of(capture);
    let revoked: BTreeSet<_> = answers(capture).map(|revoke| revoke.key.to_string()).collect();
    let mut all = faults_happened(plan, happened);
    all.extend(pauses_were_noticed(capture, &histories));
    all.extend(revokes_were_answered(plan, &revoked));
    let with_known_key = plan.jobs.iter().filter(|job| job.route != Route::RawWithoutId);
    all.extend(
        with_known_key
            .filter(|job| !revoked.contains(&job.key()))
            .filter_map(|job| ended_well(job, &histories)),
    );
    let succeeded = histories.ended("SUCCESS", None);
    if succeeded * 100 < plan.jobs.len() * SUCCESS_PERCENT {
        all.push(format!("only {succeeded} of {} jobs ended in SUCCESS", plan.jobs.len()));
    }
    all
}

/// A complaint where the job did not end as it would have ended without a storm.
fn ended_well(job: &Job, histories: &Histories<'_>) -> Option<String> {
    let key = job.key();
    let Some(record) = histories.last(&key) else { return Some(format!("{key} has no record")) };
    let succeeded = record["state"] == "SUCCESS";
    let failed = |kind| record["error"]["kind"] == kind;
    let well = match job.ending() {
        Ending::Success => succeeded,
        Ending::Failure(kind) => failed(kind),
        Ending::SuccessOr(kind) => succeeded || failed(kind),
    };
    (!well).then(|| {
        let state = &record["state"];
        let error = &record["error"];
        let attempt = &record["attempt"];
        format!("{key} ({:?}) ended as {state} {error} in attempt {attempt}", job.behaviour)
    })
}

fn faults_happened(plan: &Plan, happened: &BTreeMap<Kind, usize>) -> Vec<String> {
    let mut planned: BTreeMap<Kind, usize> = BTreeMap::new();
    for kind in plan.faults.iter().filter_map(|planned| planned.fault.kind()) {
        *planned.entry(kind).or_default() += 1;
    }
    let short = |kind: Kind| {
        let planned = *planned.get(&kind)?;
        let happened = happened.get(&kind).copied().unwrap_or_default();
        let enough = happened > 0 && happened * 100 >= planned * HAPPENED_PERCENT;
        (!enough).then(|| format!("{happened} of {planned} planned faults `{}` happened", kind.word()))
    };
    Kind::ALL.into_iter().filter_map(short).collect()
}

/// A complaint where no paused host lost a job to another one while it was paused.
fn pauses_were_noticed(capture: &Capture, histories: &Histories<'_>) -> Option<String> {
    let named = |word: &'static str| {
        capture.entries.iter().filter_map(move |entry| {
            let Entry::Fault(fault) = entry else { return None };
            (fault.fault == word).then_some(fault)
        })
    };
    let taken_from = |pause: &Fault| {
        let until = named("resume").find(|resume| resume.host == pause.host && resume.at >= pause.at);
        histories.takeovers().any(|(before, after)| {
            before.record["host"].as_str() == pause.host.as_deref()
                && before.record["host"] != after.record["host"]
                && after.stored_at >= pause.at
                && until.is_none_or(|until| after.stored_at <= until.at)
        })
    };
    let mut pauses = named(Kind::Pause.word());
    (!pauses.any(taken_from)).then(|| "no paused host lost a job while it was paused".to_owned())
}

fn revokes_were_answered(plan: &Plan, revoked: &BTreeSet<String>) -> Vec<String> {
    let asked = plan.jobs.iter().filter(|job| job.revoke.is_some()).map(Job::key);
    asked
        .filter(|key| !revoked.contains(key))
        .map(|key| format!("the revoke of {key} was never answered"))
        .collect()
}

/// The answers to revokes, and how often each came.
pub(super) fn revokes(capture: &Capture) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for revoke in answers(capture) {
        *states.entry(revoke.answer.clone()).or_default() += 1;
    }
    states
}

fn answers(capture: &Capture) -> impl Iterator<Item = &Revoke> {
    capture.entries.iter().filter_map(|entry| {
        let Entry::Revoke(revoke) = entry else { return None };
        Some(revoke)
    })
}

/// How many jobs the reconciler ended.
pub(super) fn reconciled(histories: &Histories<'_>) -> usize {
    ["Lost", "NotPublished"].iter().map(|kind| histories.ended("FAILURE", Some(kind))).sum()
}

#[cfg(test)]
mod tests;
