//! Records every transition from the events of the states bucket. Each event names the revision before, so that a missing
//! one is noticed.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use async_nats::Subscriber;
use futures::StreamExt;
use serde_json::Value;

use crate::{
    history::{History, Transition},
    limit::within,
};

const PREFIX: &str = "wasmhost.events.";

/// All transitions since the recording started, by job.
#[derive(Debug)]
pub struct Events {
    subscriber: Subscriber,
    histories: BTreeMap<String, History>,
}

impl Events {
    pub(crate) async fn record(nats: &async_nats::Client) -> anyhow::Result<Self> {
        let subscriber = nats.subscribe(format!("{PREFIX}>")).await?;
        nats.flush().await?;
        Ok(Self { subscriber, histories: BTreeMap::new() })
    }

    /// Waits until the history of a job is as wanted.
    ///
    /// # Errors
    ///
    /// It takes too long, with the history so far; or a revision was missed.
    pub async fn until(&mut self, key: &str, wanted: impl Fn(&History) -> bool) -> anyhow::Result<History> {
        let waiting = async {
            loop {
                let history = self.histories.entry(key.to_owned()).or_default();
                if wanted(history) {
                    return Ok(history.clone());
                }
                self.take_one().await?;
            }
        };
        match within(key, waiting).await {
            Ok(history) => history,
            Err(late) => {
                let seen = self.histories.get(key).map(ToString::to_string);
                Err(late.context(format!("its history: {}", seen.unwrap_or_default())))
            }
        }
    }

    /// Waits until a job has this state, and returns the record that has it.
    ///
    /// # Errors
    ///
    /// As [`Self::until`].
    pub async fn until_state(&mut self, key: &str, state: &str) -> anyhow::Result<Value> {
        let history = self.until(key, |history| history.states().contains(&state)).await?;
        let found = history.0.into_iter().find(|transition| transition.state() == state);
        Ok(found.context("a state that was just seen")?.record)
    }

    /// Waits for the end of a job, and returns its whole history.
    ///
    /// # Errors
    ///
    /// As [`Self::until`]; or the history breaks a promise, see [`History::check`].
    pub async fn until_end(&mut self, key: &str) -> anyhow::Result<History> {
        let history = self.until(key, History::has_ended).await?;
        history.check().with_context(|| format!("{key}: {history}"))?;
        Ok(history)
    }

    /// Waits for the first job of a task that the recorder sees, and returns its key.
    ///
    /// # Errors
    ///
    /// It takes too long.
    pub async fn until_any(&mut self, task: &str) -> anyhow::Result<String> {
        let prefix = format!("{task}.");
        let waiting = async {
            loop {
                if let Some(key) = self.histories.keys().find(|key| key.starts_with(&prefix)) {
                    return Ok(key.clone());
                }
                self.take_one().await?;
            }
        };
        within(task, waiting).await?
    }

    /// What was seen of a job so far, without waiting.
    #[must_use]
    pub fn so_far(&self, key: &str) -> History {
        self.histories.get(key).cloned().unwrap_or_default()
    }

    /// Waits until an attempt with this number runs a job.
    ///
    /// # Errors
    ///
    /// As [`Self::until`].
    pub async fn until_attempt(&mut self, key: &str, attempt: u64) -> anyhow::Result<History> {
        let claimed = |history: &History| {
            history.0.iter().any(|transition| transition.record["attempt"].as_u64() == Some(attempt))
        };
        self.until(key, claimed).await
    }

    /// Waits until the record of a job names a checkpoint.
    ///
    /// # Errors
    ///
    /// As [`Self::until`].
    pub async fn until_checkpoint(&mut self, key: &str) -> anyhow::Result<History> {
        let named = |history: &History| {
            history.0.last().is_some_and(|newest| newest.record["checkpoint"].is_object())
        };
        self.until(key, named).await
    }

    /// Waits until the record of a job is deleted.
    ///
    /// # Errors
    ///
    /// As [`Self::until`].
    pub async fn until_deleted(&mut self, key: &str) -> anyhow::Result<()> {
        let deleted = |history: &History| history.0.last().is_some_and(|newest| newest.record.is_null());
        self.until(key, deleted).await.map(drop)
    }

    async fn take_one(&mut self) -> anyhow::Result<()> {
        let message = self.subscriber.next().await.context("the subscription ended")?;
        let key = message.subject.strip_prefix(PREFIX).context("a subject outside the events")?.to_owned();
        let transition = Transition::read(&message).with_context(|| key.clone())?;
        let history = self.histories.entry(key.clone()).or_default();
        let before = history.0.last().map_or(transition.previous, |last| last.revision);
        ensure!(
            transition.previous == before,
            "{key}: a gap behind revision {before}: {transition} {history}"
        );
        history.0.push(transition);
        Ok(())
    }
}
