//! A recorder of every transition, from the bucket's own republish: each message names the revision before, so that a
//! missing one is seen.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, ensure};
use async_nats::{HeaderMap, Message, Subscriber};
use futures::StreamExt;
use serde_json::Value;

use crate::limit::within;

const PREFIX: &str = "wasmhost.events.";

/// All transitions since the recorder started.
#[derive(Debug)]
pub struct Events {
    subscriber: Subscriber,
    histories: BTreeMap<String, History>,
}

/// The transitions of one job, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History(pub Vec<Transition>);

/// One revision of a record, or its deletion.
#[derive(Debug, Clone)]
pub struct Transition {
    /// The revision.
    pub revision: u64,
    /// The revision of this key before; 0 for none.
    pub previous: u64,
    /// The record; null for a delete marker.
    pub record: Value,
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
    /// Where it takes too long, with the history so far; where a revision was missed.
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

    /// Waits until a job shows this state.
    ///
    /// # Errors
    ///
    /// As [`Self::until`].
    pub async fn until_state(&mut self, key: &str, state: &str) -> anyhow::Result<Value> {
        let history = self.until(key, |history| history.states().contains(&state)).await?;
        let found = history.0.into_iter().find(|transition| transition.state() == state);
        Ok(found.context("a state that was just seen")?.record)
    }

    /// Waits for the end of a job; its whole history, checked.
    ///
    /// # Errors
    ///
    /// As [`Self::until`], and where the history breaks a promise: see [`History::check`].
    pub async fn until_end(&mut self, key: &str) -> anyhow::Result<History> {
        let history = self.until(key, |history| history.0.iter().any(Transition::is_terminal)).await?;
        history.check().with_context(|| format!("{key}: {history}"))?;
        Ok(history)
    }

    /// Waits for the first job of a task that the recorder sees; its key.
    ///
    /// # Errors
    ///
    /// Where it takes too long.
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

impl History {
    /// The states in order, each once where the same follows itself.
    #[must_use]
    pub fn states(&self) -> Vec<&str> {
        let mut states: Vec<_> = self.0.iter().map(Transition::state).collect();
        states.dedup();
        states
    }

    /// The last record.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn last(&self) -> &Value {
        &self.0.last().expect("a history that was waited for").record
    }

    /// What was promised of every job: one terminal revision, nothing behind it but its deletion, attempts that only
    /// grow, one by one.
    ///
    /// # Errors
    ///
    /// Where it is not so.
    pub fn check(&self) -> anyhow::Result<()> {
        let mut attempt = 0;
        let mut ended = false;
        for transition in &self.0 {
            if transition.record.is_null() {
                (attempt, ended) = (0, false);
                continue;
            }
            ensure!(!ended, "revision {} follows the end", transition.revision);
            let now = transition.record["attempt"].as_u64().context("a record without its attempt")?;
            ensure!(now == attempt || now == attempt + 1, "attempt {now} follows attempt {attempt}");
            (attempt, ended) = (now, transition.is_terminal());
        }
        Ok(())
    }
}

impl Transition {
    fn read(message: &Message) -> anyhow::Result<Self> {
        let headers = message.headers.as_ref().context("an event without headers")?;
        let record = match message.payload.as_ref() {
            b"" => Value::Null,
            text => serde_json::from_slice(text).context("a record that is not JSON")?,
        };
        Ok(Self {
            revision: number(headers, "Nats-Sequence")?,
            previous: number(headers, "Nats-Last-Sequence")?,
            record,
        })
    }

    /// The state; `-` for a delete marker.
    #[must_use]
    pub fn state(&self) -> &str {
        self.record["state"].as_str().unwrap_or("-")
    }

    /// Whether nothing follows but the deletion.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self.state(), "SUCCESS" | "FAILURE" | "REVOKED")
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|transition| write!(f, "\n  {transition}"))
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { revision, previous, record } = self;
        write!(f, "{previous} → {revision} {} attempt {}", self.state(), record["attempt"])?;
        ["meta", "error", "revoke"]
            .iter()
            .filter(|field| !record[**field].is_null())
            .try_for_each(|field| write!(f, " {field} {}", record[*field]))
    }
}

fn number(headers: &HeaderMap, name: &str) -> anyhow::Result<u64> {
    let value = headers.get(name).with_context(|| format!("no header {name}"))?;
    value.as_str().parse().with_context(|| format!("{name}: {value:?} is not a number"))
}
