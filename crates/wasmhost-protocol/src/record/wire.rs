//! The record as JSON, version 1: first what a person reading the bucket wants to see, then the protocol's own fields.
//! Unknown fields survive a rewrite; an unknown version is a named error.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::json::Json;
use crate::record::error::JobError;
use crate::record::fields::{Record, RecordFields};
use crate::record::parts::Payload;
use crate::record::state::{End, JobState, RunningLabel, StateLabel};
use crate::timestamp::Timestamp;

/// The version that this code writes.
pub const RECORD_VERSION: u32 = 1;

/// Why bytes are not a record that this version can work with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Written by a newer host: leave it to one.
    #[error("record of version {0}; this host knows version {RECORD_VERSION}")]
    Newer(u32),
    /// Not a record.
    #[error("unreadable record: {0}")]
    Unreadable(String),
}

/// Serialises fields in order, each by name.
macro_rules! entries {
    ($map:ident; $($name:literal: $value:expr),+ $(,)?) => {
        $($map.serialize_entry($name, $value)?;)+
    };
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let (result, result_ref, error, finished_at, not_before) = self.stage_fields();
        entries! { map;
            "state": self.state().as_str(), "meta": &self.meta, "task": &self.task, "id": &self.id,
            "attempt": &self.attempt, "max_attempts": &self.max_attempts, "queue": &self.queue, "host": &self.host,
            "result": &result, "result_ref": &result_ref, "error": &error,
            "submitted_at": &self.submitted_at, "started_at": &self.started_at, "updated_at": &self.updated_at,
            "finished_at": &finished_at, "not_before": &not_before, "expires_at": &self.expires_at,
            "digest": &self.digest, "usage": &self.usage, "args_digest": &self.args_digest, "parent": &self.parent,
            "revoke": &self.revoke, "denied": &self.denied, "checkpoint": &self.checkpoint,
            "token": &self.token, "write": &self.write, "charged": &self.charged, "lost": &self.lost,
            "delivery": &self.delivery, "msg_seq": &self.msg_seq, "after": &self.after,
        }
        for (name, value) in &self.unknown {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("v", &RECORD_VERSION)?;
        map.end()
    }
}

type StageFields<'a> = (
    Option<&'a Json>,
    Option<&'a crate::record::parts::BlobRef>,
    Option<&'a JobError>,
    Option<Timestamp>,
    Option<Timestamp>,
);

impl Record {
    fn stage_fields(&self) -> StageFields<'_> {
        match &self.stage {
            JobState::Pending { not_before } => (None, None, None, None, *not_before),
            JobState::Running(_) => (None, None, None, None, None),
            JobState::Retry { not_before } => (None, None, None, None, Some(*not_before)),
            JobState::Ended { end, finished_at } => match end {
                End::Success(Payload::Inline(json)) => (Some(json), None, None, Some(*finished_at), None),
                End::Success(Payload::Blob(blob)) => (None, Some(blob), None, Some(*finished_at), None),
                End::Failure(error) => (None, None, Some(error), Some(*finished_at), None),
                End::Revoked => (None, None, None, Some(*finished_at), None),
            },
        }
    }

    /// The record's JSON text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("every field of a record can be written as JSON")
    }

    /// Reads a record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut fields = Fields::parse(bytes)?;
        let version: u32 = fields.take("v")?;
        match version {
            RECORD_VERSION => fields.into_record(),
            0 => Err(RecordError::Unreadable("v: 0 is no version".to_owned())),
            newer => Err(RecordError::Newer(newer)),
        }
    }
}

/// The fields of the object, in order, and the names of those taken out.
struct Fields {
    left: Vec<(String, Json)>,
    taken: Vec<&'static str>,
}

impl Fields {
    fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        struct Object;
        impl<'de> serde::de::Visitor<'de> for Object {
            type Value = Vec<(String, Json)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(40);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        let unreadable = |error: serde_json::Error| RecordError::Unreadable(error.to_string());
        let mut text = serde_json::Deserializer::from_slice(bytes);
        let fields = serde::Deserializer::deserialize_map(&mut text, Object).map_err(unreadable)?;
        text.end().map_err(unreadable)?;
        Ok(Self { left: fields, taken: Vec::with_capacity(40) })
    }

    /// Takes a field out; absent reads as `null`.
    fn take<T: for<'de> Deserialize<'de>>(&mut self, name: &'static str) -> Result<T, RecordError> {
        self.taken.push(name);
        let found = self.left.iter().position(|(field, _)| field == name).map(|at| self.left.remove(at).1);
        let json = found.unwrap_or_else(Json::null);
        json.read().map_err(|error| RecordError::Unreadable(format!("{name}: {error}")))
    }

    fn into_record(mut self) -> Result<Record, RecordError> {
        let attempt = self.take("attempt")?;
        let stage = self.stage(attempt)?;
        let record = Record::seal(RecordFields {
            stage,
            attempt,
            meta: self.take("meta")?,
            task: self.take("task")?,
            id: self.take("id")?,
            max_attempts: self.take("max_attempts")?,
            queue: self.take("queue")?,
            host: self.take("host")?,
            submitted_at: self.take("submitted_at")?,
            started_at: self.take("started_at")?,
            updated_at: self.take("updated_at")?,
            expires_at: self.take("expires_at")?,
            digest: self.take("digest")?,
            usage: self.take("usage")?,
            args_digest: self.take("args_digest")?,
            parent: self.take("parent")?,
            revoke: self.take("revoke")?,
            denied: self.take::<Option<_>>("denied")?.unwrap_or_default(),
            checkpoint: self.take("checkpoint")?,
            token: self.take("token")?,
            write: self.take("write")?,
            charged: self.take::<Option<_>>("charged")?.unwrap_or_default(),
            lost: self.take::<Option<_>>("lost")?.unwrap_or_default(),
            delivery: self.take("delivery")?,
            msg_seq: self.take("msg_seq")?,
            after: self.take("after")?,
            unknown: self.unknown()?,
        });
        possible(&record)?;
        Ok(record)
    }

    /// What is left: fields that this version does not know.
    fn unknown(self) -> Result<Vec<(String, Json)>, RecordError> {
        match self.left.iter().find(|(field, _)| self.taken.contains(&field.as_str())) {
            Some((field, _)) => Err(impossible(format!("{field}: stands twice"))),
            None => Ok(self.left),
        }
    }

    fn stage(&mut self, attempt: u32) -> Result<JobState, RecordError> {
        let word: String = self.take("state")?;
        let state = StateLabel::parse(&word)
            .ok_or_else(|| impossible(format!("state: unknown `{}`", crate::text::escape(&word))))?;
        let result = self.take("result")?;
        let result_ref = self.take("result_ref")?;
        let error = self.take("error")?;
        let finished_at = self.take("finished_at")?;
        let not_before: Option<Timestamp> = self.take("not_before")?;
        let payload = match (state == StateLabel::Success, result, result_ref) {
            (true, Some(_), Some(_)) => return Err(impossible("result, result_ref: both in SUCCESS")),
            (true, None, Some(blob)) => Some(Payload::Blob(blob)),
            (true, result, None) => Some(Payload::Inline(result.unwrap_or_else(Json::null))),
            (false, None, None) => None,
            (false, _, _) => return Err(impossible(format!("result: in {state}"))),
        };
        let error: Option<JobError> = only(state == StateLabel::Failure, error, "error", &state)?;
        let finished_at: Option<Timestamp> = only(state.is_terminal(), finished_at, "finished_at", &state)?;
        if attempt == 0 && !state.is_terminal() && state != StateLabel::Pending {
            return Err(impossible(format!("attempt: 0 in {state}, which needs a claim")));
        }
        let missing = |field: &str| impossible(format!("{field}: missing in {state}"));
        let end = match state {
            StateLabel::Pending if attempt == 0 => return Ok(JobState::Pending { not_before }),
            StateLabel::Pending => return Ok(JobState::Running(RunningLabel::Pending)),
            StateLabel::Started => return Ok(JobState::Running(RunningLabel::Started)),
            StateLabel::Custom(name) => return Ok(JobState::Running(RunningLabel::Custom(name))),
            StateLabel::Retry => {
                return Ok(JobState::Retry { not_before: not_before.ok_or_else(|| missing("not_before"))? });
            }
            StateLabel::Success => End::Success(payload.ok_or_else(|| missing("result"))?),
            StateLabel::Failure => End::Failure(error.ok_or_else(|| missing("error"))?),
            StateLabel::Revoked => End::Revoked,
        };
        Ok(JobState::Ended { end, finished_at: finished_at.ok_or_else(|| missing("finished_at"))? })
    }
}

fn impossible(what: impl Into<String>) -> RecordError {
    RecordError::Unreadable(what.into())
}

/// A field that stands in some states only.
fn only<T>(here: bool, value: Option<T>, field: &str, state: &StateLabel) -> Result<Option<T>, RecordError> {
    match value {
        Some(_) if !here => Err(impossible(format!("{field}: in {state}"))),
        value => Ok(value),
    }
}

/// Numbers that no sequence of legal writes makes (R6b).
fn possible(record: &Record) -> Result<(), RecordError> {
    if record.attempt == u32::MAX {
        return Err(impossible("attempt: no further one could be counted"));
    }
    if u64::from(record.charged) + u64::from(record.lost) > u64::from(record.attempt) {
        return Err(impossible("attempt: less than charged and lost together"));
    }
    if record.is_terminal() {
        return Ok(());
    }
    let claimed = record.attempt > 0;
    for (field, stands) in [
        ("token", record.token.is_some()),
        ("delivery", record.delivery.is_some()),
        ("msg_seq", record.msg_seq.is_some()),
    ] {
        match (claimed, stands) {
            (true, false) => return Err(impossible(format!("{field}: missing though claimed"))),
            (false, true) => return Err(impossible(format!("{field}: stands though never claimed"))),
            (true, true) | (false, false) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
