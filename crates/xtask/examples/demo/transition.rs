//! One transition of a job as a subscriber sees it, and the check that none was missed.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, ensure};
use async_nats::{HeaderMap, Message};
use serde_json::Value;

/// The prefix of the subjects on which the server republishes every record. Spelled out, as an outsider would: the demo
/// is the second opinion.
pub(crate) const EVENTS: &str = "wasmhost.events.";

/// A record as republished.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Transition {
    /// `module.function.id`.
    pub(crate) key: String,
    /// The record's revision.
    revision: u64,
    /// The revision of the key's record before; 0 for none.
    previous: u64,
    record: Value,
}

impl Transition {
    /// Reads a republished message.
    pub(crate) fn read(message: &Message) -> anyhow::Result<Self> {
        let key = message.subject.strip_prefix(EVENTS).context("a subject outside the events")?;
        let headers = message.headers.as_ref().with_context(|| format!("{key}: no headers"))?;
        Ok(Self {
            key: key.to_owned(),
            revision: number(headers, "Nats-Sequence").with_context(|| key.to_owned())?,
            previous: number(headers, "Nats-Last-Sequence").with_context(|| key.to_owned())?,
            record: serde_json::from_slice(&message.payload)
                .with_context(|| format!("{key}: the record is not JSON"))?,
        })
    }

    /// The record's state.
    pub(crate) fn state(&self) -> &str {
        self.record["state"].as_str().unwrap_or("?")
    }

    /// Whether nothing follows.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.state(), "SUCCESS" | "FAILURE" | "REVOKED")
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5}  {}  {:<8}", self.revision, self.key, self.state())?;
        for field in ["attempt", "meta", "error", "result"] {
            match &self.record[field] {
                Value::Null => {}
                value => write!(f, "  {field} {}", shortened(&value.to_string()))?,
            }
        }
        Ok(())
    }
}

/// Proves that no transition is missing, since each names the revision before it, and that every job succeeded.
pub(crate) fn check(seen: &[Transition]) -> anyhow::Result<()> {
    let mut newest = BTreeMap::new();
    for transition in seen {
        let key = transition.key.as_str();
        let before = newest.insert(key, transition).map_or(0, |before: &Transition| before.revision);
        ensure!(
            transition.previous == before,
            "{key}: a gap before revision {}: it follows {}, but {before} was seen",
            transition.revision,
            transition.previous
        );
    }
    for (key, transition) in newest {
        ensure!(transition.state() == "SUCCESS", "{key} ended in {}: {transition}", transition.state());
    }
    Ok(())
}

fn number(headers: &HeaderMap, name: &str) -> anyhow::Result<u64> {
    let value = headers.get(name).with_context(|| format!("no header {name}"))?;
    value.as_str().parse().with_context(|| format!("{name}: {value:?} is not a number"))
}

/// One line of bounded length.
fn shortened(text: &str) -> String {
    const LIMIT: usize = 100;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Transition, check};

    fn transition(revision: u64, previous: u64, state: &str) -> Transition {
        Transition { key: "hello.run.1".to_owned(), revision, previous, record: json!({ "state": state }) }
    }

    #[test]
    fn an_unbroken_chain_that_ends_in_success_passes() {
        check(&[transition(3, 0, "PENDING"), transition(7, 3, "STARTED"), transition(8, 7, "SUCCESS")])
            .unwrap();
    }

    #[test]
    fn a_gap_is_found() {
        let error = check(&[transition(3, 0, "PENDING"), transition(8, 7, "SUCCESS")]).unwrap_err();
        assert_eq!(error.to_string(), "hello.run.1: a gap before revision 8: it follows 7, but 3 was seen");
        assert!(check(&[transition(8, 7, "SUCCESS")]).is_err());
    }

    #[test]
    fn a_failed_job_is_found() {
        let error = check(&[transition(3, 0, "PENDING"), transition(4, 3, "FAILURE")]).unwrap_err();
        assert!(error.to_string().starts_with("hello.run.1 ended in FAILURE"), "{error}");
    }
}
