//! The quiescence after a storm: nothing breaks any more, and the system comes to rest by itself, or it does not.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use wasmhost_client::protocol::ids::JobKey;
use wasmhost_client::{Client, StatusError};

use super::{notes::Notes, witness::Witness};
use crate::deployment::{Deployment, JOBS, SCHEDULES};

/// The pause between two inspections.
const INSPECT_EVERY: Duration = Duration::from_millis(200);

/// Whoever waits for the system to come to rest, and what is known of its jobs.
pub(super) struct Quiescence<'a> {
    pub(super) deployment: &'a Deployment,
    pub(super) client: &'a Client,
    pub(super) notes: &'a Notes,
    pub(super) witness: &'a Witness,
}

/// What has not come to rest.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    /// Messages in the job stream.
    pub(super) messages: u64,
    /// Schedules, and what they fired.
    pub(super) schedules: u64,
    /// Jobs that were submitted and have not ended.
    pub(super) running: Vec<JobKey>,
}

impl Quiescence<'_> {
    /// Waits until nothing is queued or scheduled and every job has ended, but no longer than `limit`, and returns what is
    /// unfinished then.
    pub(super) async fn wait(&self, limit: Duration) -> anyhow::Result<Unfinished> {
        let deadline = Instant::now() + limit;
        loop {
            let unfinished = self.inspect().await?;
            if unfinished.is_none() || Instant::now() > deadline {
                return Ok(unfinished);
            }
            sleep(INSPECT_EVERY).await;
        }
    }

    async fn inspect(&self) -> anyhow::Result<Unfinished> {
        let messages = self.deployment.messages(JOBS).await?;
        let schedules = self.deployment.messages(SCHEDULES).await?;
        let mut running = Vec::new();
        let may_run = |key: &JobKey| !self.witness.has_ended(&key.to_string());
        for key in self.notes.submitted().into_iter().filter(may_run) {
            match self.client.job(&key).ready().await {
                Ok(true) | Err(StatusError::NotFound { .. }) => {}
                Ok(false) | Err(_) => running.push(key),
            }
        }
        Ok(Unfinished { messages, schedules, running })
    }
}

impl Unfinished {
    /// Whether everything has come to rest.
    pub(super) fn is_none(&self) -> bool {
        self.is_quiet() && self.running.is_empty()
    }

    /// Whether nothing is queued. What has not ended then never will.
    pub(super) fn is_quiet(&self) -> bool {
        self.messages == 0 && self.schedules == 0
    }
}
