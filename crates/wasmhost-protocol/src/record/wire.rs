//! The written form of a record, version 1: one JSON object, as
//! [record.md](https://github.com/wasmhost/wasmhost/blob/main/docs/record.md) describes it. What people want
//! to see comes first, and the protocol's own fields come last. Fields that this version does not know
//! survive a rewrite; a version that it does not know is an error of its own.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::json::Json;
use crate::record::error::JobError;
use crate::record::fields::{Record, RecordFields};
use crate::record::parts::{BlobRef, Payload};
use crate::record::state::{End, JobState, RunningLabel, StateLabel};
use crate::timestamp::Timestamp;

/// The version of the written form that this crate writes. It changes where an older reader would
/// misunderstand a newer record, and not where a field is added.
pub const RECORD_VERSION: u32 = 1;

/// Few records are larger.
const USUAL_BYTES: usize = 1024;

/// `RecordError` reports bytes that are not a record which this version can read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A newer host wrote the record, and only a newer host may change it.
    #[error("record of version {0}; this host knows version {RECORD_VERSION}")]
    Newer(u32),
    /// The bytes are not a record. The text names the field and what is wrong with it.
    #[error("unreadable record: {0}")]
    Unreadable(String),
}

/// The fields of a record's written form that its state has.
#[derive(Default)]
struct StateFields<'a> {
    result: Option<&'a Json>,
    result_ref: Option<&'a BlobRef>,
    error: Option<&'a JobError>,
    finished_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
}

impl<'a> StateFields<'a> {
    fn new(state: &'a JobState) -> Self {
        let none = Self::default();
        match state {
            JobState::Pending { not_before } => Self { not_before: *not_before, ..none },
            JobState::Running(_) => none,
            JobState::Retry { not_before } => Self { not_before: Some(*not_before), ..none },
            JobState::Ended { end, finished_at } => {
                let ended = Self { finished_at: Some(*finished_at), ..none };
                match end {
                    End::Success(Payload::Inline(json)) => Self { result: Some(json), ..ended },
                    End::Success(Payload::Blob(blob)) => Self { result_ref: Some(blob), ..ended },
                    End::Failure(error) => Self { error: Some(error), ..ended },
                    End::Revoked => ended,
                }
            }
        }
    }
}

/// Serialises fields in order: `name: value` always, and `name ? value` where there is one. Most records have few of those, and
/// each byte is stored and sent with every revision.
macro_rules! entries {
    ($map:ident; $($name:literal $mark:tt $value:expr),+ $(,)?) => {
        $(entries!(@ $mark $map, $name, $value);)+
    };
    (@ : $map:ident, $name:literal, $value:expr) => {
        $map.serialize_entry($name, $value)?;
    };
    (@ ? $map:ident, $name:literal, $value:expr) => {
        if let Some(value) = $value {
            $map.serialize_entry($name, value)?;
        }
    };
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let state = StateFields::new(&self.state);
        let denied = Some(&self.denied).filter(|denied| !denied.is_empty());
        // The order is part of the form: people read records with `nats kv watch`.
        entries! { map;
            "state": self.label().as_str(), "meta" ? &self.meta, "task": &self.task, "id": &self.id,
            "attempt": &self.attempt, "max_attempts" ? &self.max_attempts, "queue": &self.queue,
            "host" ? &self.host, "result" ? state.result, "result_ref" ? state.result_ref,
            "error" ? state.error, "submitted_at": &self.submitted_at, "started_at" ? &self.started_at,
            "updated_at": &self.updated_at, "finished_at" ? &state.finished_at,
            "not_before" ? &state.not_before, "expires_at" ? &self.expires_at, "digest" ? &self.digest,
            "usage" ? &self.usage, "args_digest" ? &self.args_digest, "parent" ? &self.parent,
            "notify" ? &self.notify,
            "revoke" ? &self.revoke, "denied" ? denied, "checkpoint" ? &self.checkpoint,
            "token" ? &self.token, "write": &self.write, "charged": &self.charged,
            "lost": &self.lost, "delivery" ? &self.delivery, "msg_seq" ? &self.msg_seq,
            "after" ? &self.after,
        }
        for (name, value) in &self.unknown {
            map.serialize_entry(name, value)?;
        }
        // Also after a rewrite of a record with fields of a later version: such fields are additions, which
        // do not change it.
        map.serialize_entry("v", &RECORD_VERSION)?;
        map.end()
    }
}

impl Record {
    /// Writes the record as JSON text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(USUAL_BYTES);
        serde_json::to_writer(&mut bytes, self).expect("every field of a record can be written as JSON");
        bytes
    }

    /// Reads a record. The error says whether a newer host wrote it or what makes it unreadable.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut fields = Fields::parse(bytes)?;
        // The version is read before anything else: a newer record may have fields of other types, and it is
        // left to a newer host all the same.
        let version: u32 = fields.take("v")?;
        match version {
            RECORD_VERSION => fields.into_record(),
            0 => Err(unreadable("v: 0 is no version")),
            newer => Err(RecordError::Newer(newer)),
        }
    }
}

/// The fields of a record that are not read yet, in order, and the names of those that are.
struct Fields {
    left: Vec<(String, Json)>,
    taken: Vec<&'static str>,
}

impl Fields {
    /// Reads the object as a list of its fields: a map would keep only one of two fields of a name, and lose
    /// the order of the fields that this version does not know.
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
        let invalid = |error: serde_json::Error| unreadable(error.to_string());
        let mut text = serde_json::Deserializer::from_slice(bytes);
        let fields = serde::Deserializer::deserialize_map(&mut text, Object).map_err(invalid)?;
        text.end().map_err(invalid)?;
        Ok(Self { left: fields, taken: Vec::with_capacity(40) })
    }

    /// Takes a field out. A missing field reads as `null`, so that a field which a later version adds is not
    /// missing in the records of an earlier one.
    fn take<T: for<'de> Deserialize<'de>>(&mut self, name: &'static str) -> Result<T, RecordError> {
        self.taken.push(name);
        let found = self.left.iter().position(|(field, _)| field == name).map(|at| self.left.remove(at).1);
        let json = found.unwrap_or_else(Json::null);
        json.read().map_err(|error| unreadable(format!("{name}: {error}")))
    }

    fn into_record(mut self) -> Result<Record, RecordError> {
        let attempt = self.take("attempt")?;
        let state = self.take_state(attempt)?;
        let record = Record::seal(RecordFields {
            state,
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
            notify: self.take("notify")?,
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
            unknown: self.into_unknown()?,
        });
        check_counters(&record)?;
        check_claim(&record)?;
        Ok(record)
    }

    /// Returns the fields that this version does not know. One that was taken already is there twice.
    fn into_unknown(self) -> Result<Vec<(String, Json)>, RecordError> {
        match self.left.iter().find(|(field, _)| self.taken.contains(&field.as_str())) {
            Some((field, _)) => Err(unreadable(format!("{field}: stands twice"))),
            None => Ok(self.left),
        }
    }

    fn take_state(&mut self, attempt: u32) -> Result<JobState, RecordError> {
        let word: String = self.take("state")?;
        let label = StateLabel::parse(&word)
            .ok_or_else(|| unreadable(format!("state: unknown `{}`", crate::text::escape(&word))))?;
        let payload = self.take_payload(&label)?;
        let error: Option<JobError> = self.take_only_if(label == StateLabel::Failure, "error", &label)?;
        let finished_at: Option<Timestamp> = self.take_only_if(label.is_terminal(), "finished_at", &label)?;
        let not_before: Option<Timestamp> = self.take("not_before")?;
        if attempt == 0 && !label.is_terminal() && label != StateLabel::Pending {
            return Err(unreadable(format!("attempt: 0 in {label}, which needs a claim")));
        }
        let missing = |field: &str| unreadable(format!("{field}: missing in {label}"));
        let end = match label {
            // A module that does not track STARTED shows PENDING while its attempt runs.
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

    /// Takes the result of a SUCCESS, which no other state has.
    fn take_payload(&mut self, label: &StateLabel) -> Result<Option<Payload>, RecordError> {
        let result: Option<Json> = self.take("result")?;
        let result_ref: Option<BlobRef> = self.take("result_ref")?;
        match (*label == StateLabel::Success, result, result_ref) {
            (true, Some(_), Some(_)) => Err(unreadable("result, result_ref: both in SUCCESS")),
            (true, None, Some(blob)) => Ok(Some(Payload::Blob(blob))),
            // `null` is a result too: a task may return it, and a job may ask to drop its result.
            (true, result, None) => Ok(Some(Payload::Inline(result.unwrap_or_else(Json::null)))),
            (false, None, None) => Ok(None),
            (false, _, _) => Err(unreadable(format!("result: in {label}"))),
        }
    }

    /// Takes a field that only some states have.
    fn take_only_if<T: for<'de> Deserialize<'de>>(
        &mut self,
        allowed: bool,
        field: &'static str,
        label: &StateLabel,
    ) -> Result<Option<T>, RecordError> {
        match self.take(field)? {
            Some(_) if !allowed => Err(unreadable(format!("{field}: in {label}"))),
            value => Ok(value),
        }
    }
}

fn unreadable(what: impl Into<String>) -> RecordError {
    RecordError::Unreadable(what.into())
}

/// Refuses numbers that no sequence of legal writes leads to. The next claim would count further from them.
fn check_counters(record: &Record) -> Result<(), RecordError> {
    if record.attempt == u32::MAX {
        return Err(unreadable("attempt: no further one could be counted"));
    }
    if u64::from(record.charged) + u64::from(record.lost) > u64::from(record.attempt) {
        return Err(unreadable("attempt: less than charged and lost together"));
    }
    Ok(())
}

/// Refuses a record with an attempt but without what fences it, or the other way round: a host would believe
/// it to be unclaimed, or claimed by nobody.
fn check_claim(record: &Record) -> Result<(), RecordError> {
    if record.is_terminal() {
        return Ok(());
    }
    let is_claimed = record.attempt > 0;
    for (field, is_set) in [
        ("token", record.token.is_some()),
        ("delivery", record.delivery.is_some()),
        ("msg_seq", record.msg_seq.is_some()),
    ] {
        match (is_claimed, is_set) {
            (true, false) => return Err(unreadable(format!("{field}: missing though claimed"))),
            (false, true) => return Err(unreadable(format!("{field}: stands though never claimed"))),
            (true, true) | (false, false) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
