//! The newest record of every job by the events of the bucket, for parts of the harness that wait for something. Decisions
//! are made from the recorder's capture only.

use std::collections::BTreeMap;

use anyhow::Context;
use futures::StreamExt;
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet};

const PREFIX: &str = "wasmhost.events.";

/// The newest record of each job so far.
#[derive(Debug)]
pub(super) struct Witness {
    newest: watch::Receiver<BTreeMap<String, Value>>,
    _tasks: JoinSet<()>,
}

impl Witness {
    pub(super) async fn watch(nats: &async_nats::Client) -> anyhow::Result<Self> {
        let mut events = nats.subscribe(format!("{PREFIX}>")).await?;
        nats.flush().await?;
        let (sender, newest) = watch::channel(BTreeMap::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Some(message) = events.next().await {
                let Some(key) = message.subject.strip_prefix(PREFIX) else { continue };
                let Ok(record) = serde_json::from_slice::<Value>(&message.payload) else { continue };
                sender.send_modify(|newest| drop(newest.insert(key.to_owned(), record)));
            }
        });
        Ok(Self { newest, _tasks: tasks })
    }

    /// Waits until the newest record of a job is as wanted, and returns it.
    pub(super) async fn until(&self, key: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let mut newest = self.newest.clone();
        let seen = newest.wait_for(|newest| newest.get(key).is_some_and(&wanted)).await;
        let seen = seen.context("the events ended")?;
        Ok(seen.get(key).cloned().unwrap_or_default())
    }

    /// Waits for a record whose key starts with this text, and returns the key.
    pub(super) async fn until_key(&self, prefix: &str) -> anyhow::Result<String> {
        let find = |newest: &BTreeMap<String, Value>| {
            newest
                .range(prefix.to_owned()..)
                .next()
                .map(|(key, _)| key.clone())
                .filter(|key| key.starts_with(prefix))
        };
        let mut newest = self.newest.clone();
        let seen = newest.wait_for(|newest| find(newest).is_some()).await.context("the events ended")?;
        find(&seen).context("a key that was just seen")
    }

    /// Waits until this host runs a job.
    pub(super) async fn until_busy(&self, host: &str) {
        let runs =
            |record: &Value| record["host"] == host && !is_terminal(record) && record["state"] != "RETRY";
        let mut newest = self.newest.clone();
        // An error is the end of the events, and of the storm.
        let _ = newest.wait_for(|newest| newest.values().any(runs)).await;
    }

    /// Whether the job has ended according to the events so far.
    pub(super) fn has_ended(&self, key: &str) -> bool {
        self.newest.borrow().get(key).is_some_and(is_terminal)
    }
}

/// Whether a record is terminal.
pub(super) fn is_terminal(record: &Value) -> bool {
    matches!(record["state"].as_str(), Some("SUCCESS" | "FAILURE" | "REVOKED"))
}
