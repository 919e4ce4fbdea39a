//! The end of a storm: it waits until the system is at rest, reads every result, and decides what came of the storm.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use futures::{StreamExt, stream};
use serde_json::Value;
use tempfile::TempDir;
use wasmhost_audit::{Capture, Entry, Quiet, Slack, check_within};
use wasmhost_client::protocol::ids::JobKey;
use wasmhost_client::{Client, ResultError};
use wasmhost_nats::now;

use super::{
    StormOptions,
    clients::ClientReport,
    expect,
    fault_injector::Tally,
    fleet::Fleet,
    history::Histories,
    notes::Notes,
    plan::{ACK_WAIT, Plan},
    quiescence::{Quiescence, Unfinished},
    report::Report,
    setup::Setup,
};

/// Results that are read at a time.
const READ_AT_ONCE: usize = 32;

/// How far the clocks of one machine may seem to differ: by the time between reading a clock and writing the time down, on a
/// machine that does too much at once.
const CLOCK_SLACK: Duration = Duration::from_secs(1);

/// A storm that has ended.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) options: &'a StormOptions,
    pub(super) tally: Tally,
    pub(super) clients: ClientReport,
}

/// Waits until the system is at rest, reads what there is to read, and decides what came of the storm.
pub(super) async fn decide(setup: Setup, run: Run<'_>) -> anyhow::Result<Report> {
    let Setup { deployment, fleet, notes, witness, recorder, .. } = setup;
    let client = deployment.client().await?;
    let quiescence =
        Quiescence { deployment: &deployment, client: &client, notes: &notes, witness: &witness };
    let unfinished = quiescence.wait(run.options.rest_within).await?;
    read_results(&client, &notes).await;
    let mut capture = recorder.finish().await;
    capture.entries.extend(notes.entries());
    if unfinished.is_quiet() {
        capture.entries.push(Entry::Quiet(Quiet { at: now() }));
    }
    let mut report = report(&run, &capture);
    report.complaints.extend(unfinished.complaints());
    report.complaints.extend(fleet.misbehaved());
    if !report.is_good() {
        keep(&mut report, &capture, &fleet)?;
    }
    Ok(report)
}

/// What the auditor and the plan say of the capture.
fn report(run: &Run<'_>, capture: &Capture) -> Report {
    let histories = Histories::of(capture);
    let mut complaints = run.clients.troubles.clone();
    complaints.extend(expect::complaints(run.plan, capture, &run.tally.happened));
    Report {
        seed: run.plan.seed,
        jobs: run.plan.jobs.len(),
        submits: capture.entries.iter().filter(|entry| matches!(entry, Entry::Submit(_))).count(),
        faults: run.tally.happened.iter().map(|(kind, count)| (kind.word(), *count)).collect(),
        kills_by_jobs: run.clients.kills,
        reconciled: expect::reconciled(&histories),
        revokes: expect::revokes(capture),
        audit: check_within(capture, Slack { clock: CLOCK_SLACK, beat: ACK_WAIT }),
        complaints,
        kept: None,
    }
}

/// Keeps the capture, the hosts' logs and the report, from which one finds out what went wrong.
fn keep(report: &mut Report, capture: &Capture, fleet: &Fleet) -> anyhow::Result<()> {
    let directory = new_directory(report.seed)?;
    capture.write(&directory.join("capture.jsonl"))?;
    fleet.keep_logs(&directory)?;
    report.kept = Some(directory.clone());
    write_report(report, &directory)
}

fn write_report(report: &Report, directory: &Path) -> anyhow::Result<()> {
    let path = directory.join("report.txt");
    fs::write(&path, report.to_string()).with_context(|| format!("writing {}", path.display()))
}

fn new_directory(seed: u64) -> anyhow::Result<PathBuf> {
    let directory = TempDir::with_prefix(format!("wasmhost-storm-{seed}-")).context("keeping the capture")?;
    Ok(directory.keep())
}

impl Unfinished {
    /// What remains, one line each.
    fn complaints(&self) -> Vec<String> {
        let Self { messages, schedules, running } = self;
        let mut all = Vec::new();
        if messages + schedules > 0 {
            all.push(format!("{messages} messages and {schedules} schedules remain"));
        }
        all.extend(running.iter().map(|key| format!("{key} has not ended")));
        all
    }
}

/// Reads the result of every job that succeeded.
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
