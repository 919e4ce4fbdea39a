//! What a storm expects beside the auditor's invariants: that the faults really happened, and that the jobs ended as
//! they end without a storm.

use std::collections::{BTreeMap, BTreeSet};

use wasmhost_audit::{Capture, Entry, Fault, Revoke};

use super::{
    fault::Kind,
    history::Histories,
    job::{Ending, Job, Route},
    plan::Plan,
};

/// So many of a hundred accepted jobs end in SUCCESS at least. Without any fault it would be about 85: some trap or
/// fail for good, some are revoked.
pub(super) const SUCCESS_PERCENT: usize = 70;

/// So many of a hundred planned faults of each kind happen at least: some find nobody to befall.
const HAPPENED_PERCENT: usize = 50;

/// What is not as it should be, one line each.
pub(super) fn complaints(plan: &Plan, capture: &Capture, happened: &BTreeMap<Kind, usize>) -> Vec<String> {
    let histories = Histories::of(capture);
    let revoked: BTreeSet<_> = answers(capture).map(|revoke| revoke.key.to_string()).collect();
    let mut all = faults_happened(plan, happened);
    all.extend(pauses_were_noticed(capture, &histories));
    all.extend(revokes_were_answered(plan, &revoked));
    let judged = plan.jobs.iter().filter(|job| job.route != Route::RawWithoutId);
    all.extend(
        judged.filter(|job| !revoked.contains(&job.key())).filter_map(|job| ended_well(job, &histories)),
    );
    let succeeded = histories.ended("SUCCESS", None);
    if succeeded * 100 < plan.jobs.len() * SUCCESS_PERCENT {
        all.push(format!("only {succeeded} of {} jobs ended in SUCCESS", plan.jobs.len()));
    }
    all
}

/// Whatever befell its hosts: it ends as it would have ended.
fn ended_well(job: &Job, histories: &Histories<'_>) -> Option<String> {
    let key = job.key();
    let Some(record) = histories.last(&key) else { return Some(format!("{key} has no record")) };
    let (succeeded, failed) = (record["state"] == "SUCCESS", |kind| record["error"]["kind"] == kind);
    let well = match job.ending() {
        Ending::Success => succeeded,
        Ending::Failure(kind) => failed(kind),
        Ending::SuccessOr(kind) => succeeded || failed(kind),
    };
    (!well).then(|| {
        let (state, error, attempt) = (&record["state"], &record["error"], &record["attempt"]);
        format!("{key} ({:?}) ended as {state} {error} in attempt {attempt}", job.behaviour)
    })
}

fn faults_happened(plan: &Plan, happened: &BTreeMap<Kind, usize>) -> Vec<String> {
    let mut planned: BTreeMap<Kind, usize> = BTreeMap::new();
    for kind in plan.faults.iter().filter_map(|planned| planned.fault.kind()) {
        *planned.entry(kind).or_default() += 1;
    }
    let short = |kind: Kind| {
        let (planned, happened) = (*planned.get(&kind)?, happened.get(&kind).copied().unwrap_or_default());
        let enough = happened > 0 && happened * 100 >= planned * HAPPENED_PERCENT;
        (!enough).then(|| format!("{happened} of {planned} planned faults `{}` happened", kind.word()))
    };
    Kind::ALL.into_iter().filter_map(short).collect()
}

/// At least one paused host lost a job to another while it slept.
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
    (!pauses.any(taken_from)).then(|| "no paused host lost a job while it slept".to_owned())
}

fn revokes_were_answered(plan: &Plan, revoked: &BTreeSet<String>) -> Vec<String> {
    let asked = plan.jobs.iter().filter(|job| job.revoke.is_some()).map(Job::key);
    asked
        .filter(|key| !revoked.contains(key))
        .map(|key| format!("whoever revoked {key} never heard of it"))
        .collect()
}

/// The states that clients who revoked were told, and how often.
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

/// Jobs that the reconciler ended.
pub(super) fn reconciled(histories: &Histories<'_>) -> usize {
    ["Lost", "NotPublished"].iter().map(|kind| histories.ended("FAILURE", Some(kind))).sum()
}

#[cfg(test)]
mod tests;
