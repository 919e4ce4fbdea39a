//! The quiescent after a storm: nothing breaks any more, and the system comes to rest by itself, or does not.

use std::time::Duration;

use async_nats::jetstream;
use tokio::time::{Instant, sleep};
use wasmhost_client::protocol::ids::JobKey;
use wasmhost_client::{Client, StatusError};

use super::{notes::Notes, witness::Witness};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Looks on.
pub(super) struct Quiescence<'a> {
    pub(super) nats: &'a async_nats::Client,
    pub(super) client: &'a Client,
    pub(super) notes: &'a Notes,
    pub(super) witness: &'a Witness,
}

/// What has not come to rest.
#[derive(Debug, Default)]
pub(super) struct Unrest {
    pub(super) messages: u64,
    /// Schedules, and what they have fired.
    pub(super) schedules: u64,
    pub(super) running: Vec<JobKey>,
}

impl Quiescence<'_> {
    /// Waits until nothing is queued or scheduled and every job has ended, but no longer than `limit`; what is
    /// left then.
    pub(super) async fn wait(&self, limit: Duration) -> anyhow::Result<Unrest> {
        let deadline = Instant::now() + limit;
        loop {
            let unrest = self.look().await?;
            if unrest.is_none() || Instant::now() > deadline {
                return Ok(unrest);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&self) -> anyhow::Result<Unrest> {
        let jetstream = jetstream::new(self.nats.clone());
        let mut jobs = jetstream.get_stream("WASMHOST_JOBS").await?;
        let messages = jobs.info().await?.state.messages;
        let mut schedules = jetstream.get_stream("WASMHOST_SCHEDULES").await?;
        let schedules = schedules.info().await?.state.messages;
        let mut running = Vec::new();
        let unseen = |key: &JobKey| !self.witness.has_ended(&key.to_string());
        for key in self.notes.submitted().into_iter().filter(unseen) {
            match self.client.job(&key).ready().await {
                Ok(true) | Err(StatusError::NotFound { .. }) => {}
                Ok(false) | Err(_) => running.push(key),
            }
        }
        Ok(Unrest { messages, schedules, running })
    }
}

impl Unrest {
    pub(super) fn is_none(&self) -> bool {
        self.messages == 0 && self.schedules == 0 && self.running.is_empty()
    }
}
