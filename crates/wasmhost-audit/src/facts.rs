//! What the audit needs of a record, read from its plain JSON. An auditor that shared the reader of the code under test
//! would share its mistakes.

use serde_json::Value;
use wasmhost_protocol::timestamp::Timestamp;

/// The version of records whose fields are known here.
const VERSION: u64 = 1;

/// Which state a job is in, as far as the table of transitions distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// PENDING, and nobody has claimed the job.
    Waiting,
    /// Claimed: STARTED, a custom state, or PENDING under a policy that does not show STARTED.
    Running,
    /// RETRY.
    Retry,
    /// SUCCESS.
    Success,
    /// FAILURE.
    Failure,
    /// REVOKED.
    Revoked,
}

/// The fields of a record that the audit reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts<'a> {
    pub(crate) state: &'a str,
    pub(crate) task: &'a str,
    pub(crate) id: &'a str,
    pub(crate) attempt: u64,
    pub(crate) max_attempts: Option<u64>,
    pub(crate) charged: u64,
    pub(crate) lost: u64,
    pub(crate) token: Option<&'a str>,
    pub(crate) write: &'a str,
    /// `stop_at` of the revoke, where there is one.
    pub(crate) stop_at: Option<Timestamp>,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) args_digest: Option<&'a str>,
    pub(crate) error_kind: Option<&'a str>,
    pub(crate) after: Option<u64>,
}

/// Why a value cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoFacts {
    /// The value is not a record.
    Unreadable(String),
    /// The record has a version that this auditor does not know.
    Version(String),
}

impl<'a> Facts<'a> {
    /// Reads a record.
    pub(crate) fn read(record: &'a Value) -> Result<Self, NoFacts> {
        let fields = Fields(record);
        match fields.number("v")? {
            Some(VERSION) => {}
            other => return Err(version(other)),
        }
        let revoke = fields.object("revoke")?;
        Ok(Self {
            state: fields.needed("state")?,
            task: fields.needed("task")?,
            id: fields.needed("id")?,
            attempt: fields.number("attempt")?.ok_or_else(|| wrong("attempt"))?,
            max_attempts: fields.number("max_attempts")?,
            charged: fields.number("charged")?.unwrap_or(0),
            lost: fields.number("lost")?.unwrap_or(0),
            token: fields.text("token")?,
            write: fields.needed("write")?,
            stop_at: revoke
                .map(|revoke| revoke.time("stop_at")?.ok_or_else(|| wrong("stop_at")))
                .transpose()?,
            not_before: fields.time("not_before")?,
            args_digest: fields.text("args_digest")?,
            error_kind: fields.object("error")?.map(|error| error.needed("kind")).transpose()?,
            after: fields.number("after")?,
        })
    }

    /// Which state the job is in.
    pub(crate) fn phase(&self) -> Phase {
        match (self.state, self.attempt) {
            ("PENDING", 0) => Phase::Waiting,
            ("RETRY", _) => Phase::Retry,
            ("SUCCESS", _) => Phase::Success,
            ("FAILURE", _) => Phase::Failure,
            ("REVOKED", _) => Phase::Revoked,
            _ => Phase::Running,
        }
    }

    /// Whether the state is one of the task's own.
    pub(crate) fn is_custom(&self) -> bool {
        self.phase() == Phase::Running && !matches!(self.state, "PENDING" | "STARTED")
    }

    /// Whether nothing may follow.
    pub(crate) fn is_terminal(&self) -> bool {
        is_terminal(self.state)
    }
}

/// Whether the state is a terminal one.
pub(crate) fn is_terminal(state: &str) -> bool {
    matches!(state, "SUCCESS" | "FAILURE" | "REVOKED")
}

/// An object whose fields are looked up. An absent field is the same as null, and a field of another type is an error.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    fn get<T>(self, name: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>, NoFacts> {
        let object = self.0.as_object().ok_or_else(|| NoFacts::Unreadable("not an object".to_owned()))?;
        match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| wrong(name)),
        }
    }

    fn text(self, name: &str) -> Result<Option<&'a str>, NoFacts> {
        self.get(name, Value::as_str)
    }

    fn needed(self, name: &str) -> Result<&'a str, NoFacts> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| wrong(name))
    }

    fn number(self, name: &str) -> Result<Option<u64>, NoFacts> {
        self.get(name, Value::as_u64)
    }

    fn time(self, name: &str) -> Result<Option<Timestamp>, NoFacts> {
        self.get(name, |value| Timestamp::parse(value.as_str()?).ok())
    }

    fn object(self, name: &str) -> Result<Option<Self>, NoFacts> {
        self.get(name, |value| value.is_object().then_some(Self(value)))
    }
}

fn wrong(field: &str) -> NoFacts {
    NoFacts::Unreadable(format!("a record whose `{field}` is missing or of another type"))
}

fn version(found: Option<u64>) -> NoFacts {
    match found {
        Some(number) if number > VERSION => NoFacts::Version(format!("a record of version {number}")),
        Some(_) | None => wrong("v"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Value {
        json!({
            "state": "PROGRESS", "task": "a.b", "id": "1", "attempt": 2, "max_attempts": null, "charged": 1, "lost": 0,
            "token": "t", "write": "w", "revoke": {"reason": "r", "stop_at": "2026-01-31T12:00:00Z"}, "v": 1,
        })
    }

    #[test]
    fn a_records_fields_are_read_from_its_json() {
        let record = record();
        let facts = Facts::read(&record).unwrap();
        assert_eq!((facts.phase(), facts.attempt, facts.charged), (Phase::Running, 2, 1));
        assert_eq!((facts.token, facts.max_attempts), (Some("t"), None));
        assert_eq!(facts.stop_at, Some(Timestamp::parse("2026-01-31T12:00:00Z").unwrap()));
    }

    #[test]
    fn what_is_no_record_says_which_field() {
        for (field, value) in [
            ("state", json!(null)),
            ("attempt", json!("1")),
            ("attempt", json!(-1)),
            ("write", json!("")),
            ("token", json!(7)),
            ("not_before", json!("soon")),
            ("revoke", json!(true)),
            ("error", json!([])),
        ] {
            let mut record = record();
            record[field] = value;
            let error = Facts::read(&record).unwrap_err();
            assert!(matches!(&error, NoFacts::Unreadable(why) if why.contains(field)), "{field}: {error:?}");
        }
        assert!(matches!(Facts::read(&json!("text")), Err(NoFacts::Unreadable(_))));
        let mut newer = record();
        newer["v"] = json!(2);
        assert!(matches!(Facts::read(&newer), Err(NoFacts::Version(_))));
    }
}
