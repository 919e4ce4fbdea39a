//! The clients of a storm: for each job a task that submits it, revokes it, follows it and kills its hosts, as the plan says.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    fleet::Fleet,
    job::{Behaviour, Job},
    killer,
    plan::Plan,
    revoker,
    submitter::Submitter,
};

/// The tasks of all jobs. Each returns how many hosts its job killed.
pub(super) struct Clients(JoinSet<anyhow::Result<usize>>);

/// What the clients did until they had finished, or until it took too long.
#[derive(Debug, Default)]
pub(super) struct ClientReport {
    /// How many hosts were killed by the jobs that ask for it.
    pub(super) kills: usize,
    /// What went wrong, one line each.
    pub(super) troubles: Vec<String>,
}

impl Clients {
    /// Starts all tasks. Each waits for the time of its job, counted from `start`.
    pub(super) fn start(plan: &Plan, submitter: &Submitter, fleet: &Arc<Fleet>, start: Instant) -> Self {
        let mut tasks = JoinSet::new();
        for job in &plan.jobs {
            tasks.spawn(accompany(job.clone(), submitter.clone(), Arc::clone(fleet), start));
        }
        Self(tasks)
    }

    /// Waits for all tasks, but no longer than `limit`.
    pub(super) async fn finish(mut self, limit: Duration) -> ClientReport {
        let deadline = Instant::now() + limit;
        let mut report = ClientReport::default();
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            match timeout(remaining, self.0.join_next()).await {
                Ok(None) => return report,
                Ok(Some(Ok(Ok(kills)))) => report.kills += kills,
                Ok(Some(Ok(Err(error)))) => report.troubles.push(format!("{error:#}")),
                Ok(Some(Err(error))) => {
                    report.troubles.push(format!("a task of the harness failed: {error}"))
                }
                Err(_) => {
                    report.troubles.push(format!("{} clients still wait for an answer", self.0.len()));
                    return report;
                }
            }
        }
    }
}

/// Does with one job what the plan says, and returns how many hosts the job killed.
async fn accompany(
    job: Job,
    submitter: Submitter,
    fleet: Arc<Fleet>,
    start: Instant,
) -> anyhow::Result<usize> {
    let witness = &submitter.witness;
    let notes = &submitter.notes;
    let Some(handle) = submitter.submit(&job, start).await? else { return Ok(0) };
    let revoking = async {
        if let Some(how) = job.revoke {
            revoker::revoke(&handle, how, notes).await;
        }
    };
    let watching = async {
        if job.watched {
            revoker::watch(&handle, notes).await;
        }
    };
    tokio::join!(revoking, watching);
    if job.behaviour != Behaviour::KillsHost {
        return Ok(0);
    }
    killer::kill_hosts(&job.key(), witness, &fleet, notes).await
}
