//! Everybody who wants something of the jobs, each job's in a task of its own: who submits it, revokes it, follows it,
//! and kills its hosts.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    Ground,
    job::{Behaviour, Job},
    killer,
    plan::Plan,
    revoker,
};

/// The tasks of all jobs.
pub(super) struct Clients(JoinSet<anyhow::Result<usize>>);

impl Clients {
    /// Starts them all; each waits for its time.
    pub(super) fn gather(plan: &Plan, ground: &Ground, start: Instant) -> Self {
        let mut tasks = JoinSet::new();
        for job in &plan.jobs {
            tasks.spawn(attend(job.clone(), Attending::of(ground), start));
        }
        Self(tasks)
    }

    /// Waits for all of them, but no longer than `limit`: how many hosts died of jobs, and what went wrong.
    pub(super) async fn disperse(mut self, limit: Duration) -> (usize, Vec<String>) {
        let deadline = Instant::now() + limit;
        let (mut kills, mut troubles) = (0, Vec::new());
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(left, self.0.join_next()).await {
                Ok(None) => return (kills, troubles),
                Ok(Some(Ok(Ok(killed)))) => kills += killed,
                Ok(Some(Ok(Err(error)))) => troubles.push(format!("{error:#}")),
                Ok(Some(Err(error))) => troubles.push(format!("a task of the harness failed: {error}")),
                Err(_) => {
                    troubles.push(format!("{} clients still wait for an answer", self.0.len()));
                    return (kills, troubles);
                }
            }
        }
    }
}

/// What one job's task needs.
struct Attending {
    submitter: super::Submitter,
    fleet: Arc<super::Fleet>,
}

impl Attending {
    fn of(ground: &Ground) -> Self {
        Self { submitter: ground.submitter.clone(), fleet: Arc::clone(&ground.fleet) }
    }
}

/// How many hosts it killed.
async fn attend(
    job: Job,
    Attending { submitter, fleet }: Attending,
    start: Instant,
) -> anyhow::Result<usize> {
    let (witness, notes) = (&submitter.witness, &submitter.notes);
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
