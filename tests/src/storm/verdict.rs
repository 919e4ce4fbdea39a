//! The end of a storm: the quiescent, what is read then, and the decision.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::Context;
use futures::{StreamExt, stream};
use serde_json::Value;
use tempfile::TempDir;
use wasmhost_audit::{Entry, Quiet, Slack, Submit, check_within};
use wasmhost_client::protocol::ids::JobKey;
use wasmhost_client::{Client, ResultError};
use wasmhost_nats::now;

use super::{
    Ground, Plan, Report, StormOptions, Tally, expect,
    history::Histories,
    notes::Notes,
    plan::ACK_WAIT,
    quiescence::{Quiescence, Unrest},
};

/// Results that are read at a time.
const READ_AT_ONCE: usize = 32;

/// How far the clocks of one machine may seem apart: by the time between reading one and writing it down, on a machine
/// that does too much at once.
const CLOCK_SLACK: Duration = Duration::from_secs(1);

/// What is known of a storm when it is over.
pub(super) struct Seen<'a> {
    pub(super) plan: &'a Plan,
    pub(super) options: &'a StormOptions,
    pub(super) tally: Tally,
    pub(super) kills_by_jobs: usize,
    pub(super) troubles: Vec<String>,
}

/// Waits for the quiescent, reads what there is to read, and judges.
pub(super) async fn judge(ground: Ground, seen: Seen<'_>) -> anyhow::Result<Report> {
    let Ground { deployment, fleet, notes, witness, recorder, .. } = ground;
    let client = deployment.client().await?;
    let quiescent = Quiescence { nats: &deployment.nats, client: &client, notes: &notes, witness: &witness };
    let unrest = quiescent.wait(seen.options.rest_within).await?;
    read_results(&client, &notes).await;
    let mut capture = recorder.finish().await;
    capture.entries.extend(notes.entries());
    if is_quiet(&unrest) {
        capture.entries.push(Entry::Quiet(Quiet { at: now() }));
    }
    let slack = Slack { clock: CLOCK_SLACK, beat: ACK_WAIT };
    let audit = check_within(&capture, slack);
    let histories = Histories::of(&capture);
    let mut complaints = seen.troubles;
    complaints.extend(unrest_of(&unrest));
    complaints.extend(fleet.misbehaved());
    complaints.extend(expect::complaints(seen.plan, &capture, &seen.tally.happened));
    let mut report = Report {
        seed: seen.plan.seed,
        jobs: seen.plan.jobs.len(),
        submits: capture.entries.iter().filter(|entry| matches!(entry, Entry::Submit(Submit { .. }))).count(),
        faults: seen.tally.happened.iter().map(|(kind, count)| (kind.word(), *count)).collect(),
        kills_by_jobs: seen.kills_by_jobs,
        fenced: fleet.count("fenced: another holds the job") + fleet.count("lost the lease"),
        reconciled: expect::reconciled(&histories),
        revokes: expect::revokes(&capture),
        audit,
        complaints,
        kept: None,
    };
    if !report.is_good() {
        let directory = kept_directory(report.seed)?;
        capture.write(&directory.join("capture.jsonl"))?;
        fleet.keep_logs(&directory)?;
        report.kept = Some(directory.clone());
        fs::write(directory.join("report.txt"), report.to_string())?;
    }
    Ok(report)
}

/// Nothing is queued, and what is left runs no more: an accepted job that has not ended then never will.
fn is_quiet(unrest: &Unrest) -> bool {
    unrest.messages == 0 && unrest.schedules == 0
}

fn unrest_of(Unrest { messages, schedules, running }: &Unrest) -> Vec<String> {
    let mut all = Vec::new();
    if messages + schedules > 0 {
        all.push(format!("{messages} messages and {schedules} schedules are left"));
    }
    all.extend(running.iter().map(|key| format!("{key} has not ended")));
    all
}

/// Reads the result of every job that has one.
async fn read_results(client: &Client, notes: &Notes) {
    stream::iter(notes.submitted())
        .for_each_concurrent(READ_AT_ONCE, |key| read_result(client, notes, key))
        .await;
}

async fn read_result(client: &Client, notes: &Notes, key: JobKey) {
    let job = client.job(&key);
    if job.successful().await.unwrap_or(false) {
        let result: Result<Value, ResultError> = job.result().await;
        notes.result(&key, result.is_ok_and(|value| value["attempt"].is_u64()));
    }
}

fn kept_directory(seed: u64) -> anyhow::Result<PathBuf> {
    let directory = TempDir::with_prefix(format!("wasmhost-storm-{seed}-")).context("keeping the capture")?;
    Ok(directory.keep())
}
