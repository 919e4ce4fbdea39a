//! Submits the jobs of a plan, each at its time, and notes every answer. After an unknown outcome it submits again with the same
//! id, as a user does.

mod abandon;
mod raw;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep, sleep_until};
use wasmhost_audit::Answer;
use wasmhost_client::{Client, JobHandle, SubmitError};

use super::{
    job::{Again, Job, Route},
    notes::{Hit, Notes, parse},
    witness::Witness,
};
use crate::limit::LIMIT;
use raw::Raw;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// A client and a plain connection, over which jobs are submitted.
#[derive(Clone)]
pub(super) struct Submitter {
    pub(super) client: Client,
    pub(super) raw: Raw,
    pub(super) notes: Arc<Notes>,
    pub(super) witness: Arc<Witness>,
}

impl Submitter {
    /// Submits a job at its time, and again where the plan says so. It returns a handle on the job where a client submitted it.
    pub(super) async fn submit(&self, job: &Job, start: Instant) -> anyhow::Result<Option<JobHandle>> {
        sleep_until(start + job.at).await;
        match job.route {
            Route::Client => {
                let (handle, ()) = tokio::try_join!(self.by_client(job), self.submit_again(job))?;
                Ok(Some(handle))
            }
            Route::Raw => {
                let publishing = self.publish(job, "default");
                tokio::try_join!(publishing, self.submit_again(job))?;
                Ok(None)
            }
            Route::RawWithoutId => self.without_id(job).await.map(|()| None),
            Route::Orphan => self.orphan(job).await.map(|()| None),
            Route::Abandoned => self.abandon(job).await.map(|()| None),
        }
    }

    async fn submit_again(&self, job: &Job) -> anyhow::Result<()> {
        match job.again {
            None => Ok(()),
            Some(Again::AtOnce) => self.by_client(job).await.map(drop),
            Some(Again::Later(after)) => {
                sleep(after).await;
                self.by_client(job).await.map(drop)
            }
            Some(Again::OtherQueue(after)) => {
                sleep(after).await;
                self.publish(job, "other").await
            }
        }
    }

    /// Submits by the client until the job is accepted. With the same id it cannot run twice.
    async fn by_client(&self, job: &Job) -> anyhow::Result<JobHandle> {
        let key = parse(&job.key())?;
        let deadline = Instant::now() + LIMIT;
        loop {
            let mut submission = self.client.task(&job.task()).id(&job.id);
            if let Some(attempts) = job.behaviour.max_attempts() {
                submission = submission.max_attempts(attempts);
            }
            if let Some(delay) = job.delay {
                submission = submission.delay(delay);
            }
            let error = match submission.submit(&job.behaviour.arguments()).await {
                Ok(handle) => {
                    self.notes.submit(&key, Answer::Accepted);
                    return Ok(handle);
                }
                Err(error) => error,
            };
            let again = match &error {
                SubmitError::Unreachable { .. } => {
                    self.notes.submit(&key, Answer::Unknown);
                    true
                }
                SubmitError::QueueFull { .. } | SubmitError::Occupied { .. } => true,
                _ => false,
            };
            if !again || Instant::now() > deadline {
                self.notes.submit(&key, Answer::Refused);
                bail!("{key} was not accepted: {error}");
            }
            sleep(PAUSE).await;
        }
    }

    /// Publishes the job's message with an id, and nothing else.
    async fn publish(&self, job: &Job, queue: &str) -> anyhow::Result<()> {
        let key = parse(&job.key())?;
        let subject = format!("wasmhost.jobs.{queue}.{key}");
        self.raw.publish(&subject, &format!("{key}.{queue}"), &job.behaviour.arguments()).await?;
        self.notes.submit(&key, Answer::Accepted);
        Ok(())
    }

    /// Publishes the job's message without an id, which is then derived from the message's sequence.
    async fn without_id(&self, job: &Job) -> anyhow::Result<()> {
        let task = job.task();
        let nonce = format!("storm.{}", job.id);
        let subject = format!("wasmhost.jobs.default.{task}");
        let sequence = self.raw.publish(&subject, &nonce, &job.behaviour.arguments()).await?;
        let key = self.witness.until_key(&format!("{task}.s{sequence}-")).await?;
        self.notes.submit(&parse(&key)?, Answer::Accepted);
        Ok(())
    }

    /// Publishes the job's message. When the job runs, the message is deleted and another one published.
    async fn orphan(&self, job: &Job) -> anyhow::Result<()> {
        let key = parse(&job.key())?;
        self.publish(job, "default").await?;
        let runs = self.witness.until(&job.key(), |record| record["msg_seq"].is_u64()).await?;
        let sequence = runs["msg_seq"].as_u64().unwrap_or_default();
        self.notes.fault("purge", Hit::job(&key));
        self.raw.delete(sequence).await?;
        self.publish(job, "other").await
    }
}

/// Connects a plain client to this address.
pub(super) async fn raw(url: &str) -> anyhow::Result<Raw> {
    Ok(Raw::over(async_nats::connect(url).await.context("connecting")?))
}
