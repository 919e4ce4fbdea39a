//! The history of a job: every revision of its record, oldest first.

mod assert;

use std::{collections::BTreeSet, fmt};

use anyhow::{Context, ensure};
use async_nats::{HeaderMap, Message};
use serde_json::Value;

/// The transitions of one job, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History(pub Vec<Transition>);

/// One revision of a record, or its deletion.
#[derive(Debug, Clone)]
pub struct Transition {
    /// The revision.
    pub revision: u64,
    /// The revision of the key before this one; 0 where there was none.
    pub previous: u64,
    /// The record; null for a delete marker.
    pub record: Value,
}

impl History {
    /// The states in order, each once where the same follows itself.
    #[must_use]
    pub fn states(&self) -> Vec<&str> {
        let mut states: Vec<_> = self.0.iter().map(Transition::state).collect();
        states.dedup();
        states
    }

    /// The newest record.
    ///
    /// # Panics
    ///
    /// The history is empty.
    #[must_use]
    pub fn last(&self) -> &Value {
        &self.0.last().expect("a history that was waited for").record
    }

    /// Whether the history has a terminal record.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.0.iter().any(Transition::is_terminal)
    }

    /// How many terminal records there are: one for each use of the id that has ended.
    #[must_use]
    pub fn ends(&self) -> usize {
        self.0.iter().filter(|transition| transition.is_terminal()).count()
    }

    /// The attempts that claimed the job, by their numbers.
    #[must_use]
    pub fn attempts(&self) -> BTreeSet<u64> {
        let attempts = self.0.iter().filter_map(|transition| transition.record["attempt"].as_u64());
        attempts.filter(|attempt| *attempt > 0).collect()
    }

    /// Checks what is promised of every job: one terminal revision, nothing after it but its deletion, and attempts that
    /// rise one by one.
    ///
    /// # Errors
    ///
    /// The history breaks a promise.
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
    pub(crate) fn read(message: &Message) -> anyhow::Result<Self> {
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

    /// The state of the record; `-` for a delete marker.
    #[must_use]
    pub fn state(&self) -> &str {
        self.record["state"].as_str().unwrap_or("-")
    }

    /// Whether the record is terminal.
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
