//! Names and ids are parsed once, where they come in. Only these types build subjects and keys: a subject
//! with a `*` or a `>` in it would reach far more than one job. Clones share the text: those of one job are in its message, its
//! record, its lease and its sandbox.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::digest::Digest;

/// `InvalidName` reports a text that is not a valid name or id, with the part that it was meant to be and the
/// rule that it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{}` is not {rule}", crate::text::escape(crate::text::truncate(found, 80)))]
#[non_exhaustive]
pub struct InvalidName {
    /// The part that the text was meant to be: `module`, `queue`, `job id` and so on.
    pub what: &'static str,
    /// The rule that the text breaks, as a phrase that follows "is not".
    pub rule: &'static str,
    /// The text as it was found. The message escapes it and shows at most 80 bytes of it.
    pub found: String,
}

impl InvalidName {
    pub(crate) fn new(what: &'static str, rule: &'static str, found: &str) -> Self {
        Self { what, rule, found: found.to_owned() }
    }
}

fn is_label(text: &str, max: usize, allowed: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    !bytes.is_empty() && bytes.len() <= max && bytes[0] != b'-' && bytes.iter().all(|&b| allowed(b))
}

fn is_lower_label(text: &str) -> bool {
    is_label(text, 63, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_function(text: &str) -> bool {
    is_label(text, 63, |b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_state(text: &str) -> bool {
    let bytes = text.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= 32
        && bytes[0].is_ascii_uppercase()
        && bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
        && !StateName::RESERVED.contains(&text)
}

fn is_inbox(text: &str) -> bool {
    // What is published to an inbox is published with the host's own rights. To any other subject it would let a
    // stranger write, say, a record.
    let is_literal = |token: &str| {
        !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic() && b != b'*' && b != b'>')
    };
    let is_of_user = |rest: &str| rest.starts_with(['.', '_']);
    text.len() <= 255
        && text.split('.').all(is_literal)
        && (text.strip_prefix(Inbox::PREFIX).is_some_and(is_of_user) || text.starts_with("_R_."))
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses the text. The error names the rule that the text breaks.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                Self::check(text).map(|()| Self(text.into()))
            }

            fn check(text: &str) -> Result<(), InvalidName> {
                if $valid(text) { Ok(()) } else { Err(InvalidName::new($what, $rule, text)) }
            }

            /// Returns the text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        text_impls!($name);
    };
}

macro_rules! text_impls {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        // Logs and errors show a name as it is, without the quotes of a derived `Debug`.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    };
}

text_type!(
    /// A `ModuleName` names an uploaded component, such as `thumbs`: 1 to 63 characters of `a-z`, `0-9` and
    /// `-`, not starting with `-`.
    ModuleName, "module", "1-63 of a-z, 0-9 and `-`, not starting with `-`", is_lower_label
);
text_type!(
    /// A `FunctionName` names a function that a module exports, such as `resize`: 1 to 63 characters of
    /// `a-z`, `A-Z`, `0-9` and `-`, not starting with `-`. WIT permits upper case (`to-PNG`).
    FunctionName, "function", "1-63 of a-z, A-Z, 0-9 and `-`, not starting with `-`", is_function
);
text_type!(
    /// A `QueueName` names a queue, such as `default`: 1 to 63 characters of `a-z`, `0-9` and `-`, not
    /// starting with `-`.
    QueueName, "queue", "1-63 of a-z, 0-9 and `-`, not starting with `-`", is_lower_label
);
text_type!(
    /// A `JobId` is the last part of a job's key: 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `_` and `-`. The
    /// client crate makes lower-case UUIDv7; a submitter may choose any other one.
    JobId, "job id", "1-64 of a-z, A-Z, 0-9, `_` and `-`", is_id
);
text_type!(
    /// An `Inbox` is a subject that somebody listens to for answers: `_INBOX.…`, a user's own `_INBOX_<user>.…`,
    /// or `_R_.…`, which the server puts in the place of an inbox of another account. It has at most 255
    /// characters and no wildcard.
    Inbox, "inbox", "a subject `_INBOX.…` of at most 255 characters, without wildcards", is_inbox
);
text_type!(
    /// A `HostId` identifies a host among those that run: 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `_` and
    /// `-`.
    HostId, "host id", "1-64 of a-z, A-Z, 0-9, `_` and `-`", is_id
);
text_type!(
    /// A `StateName` names a custom state, such as `PROGRESS`: 1 to 32 characters of `A-Z`, `0-9` and `_`,
    /// starting with a letter and none of [`StateName::RESERVED`].
    StateName, "state", "1-32 of A-Z, 0-9 and `_`, starting with a letter and not reserved", is_state
);

impl Inbox {
    /// The beginning of inboxes. It does not depend on the namespace, so that any NATS client can be answered.
    pub const PREFIX: &str = "_INBOX";
}

impl StateName {
    /// A task cannot publish these names: the protocol uses them itself, or Celery reserves them.
    pub const RESERVED: [&'static str; 9] =
        ["PENDING", "RECEIVED", "STARTED", "SUCCESS", "FAILURE", "RETRY", "REVOKED", "REJECTED", "IGNORED"];
}

impl QueueName {
    /// Returns the queue of a job that names none: `default`.
    #[must_use]
    pub fn default_queue() -> Self {
        Self("default".into())
    }
}

impl JobId {
    /// Derives the id of a job that was published to the job stream without one, from the message's sequence
    /// there and the time at which it was stored, in Unix milliseconds. Both are the same at every delivery.
    #[must_use]
    pub fn derived(stream_sequence: u64, unix_ms: i64) -> Self {
        Self(format!("s{stream_sequence}-{unix_ms}").into())
    }

    /// Derives the id of a job that a schedule fired without one, from the sequence of the due message in the
    /// schedule stream, the time of the schedule's next slot in Unix milliseconds where it has one, and the
    /// body.
    #[must_use]
    pub fn fired(schedule_sequence: u64, next_unix_ms: Option<i64>, body: &Digest) -> Self {
        // Older servers let a publisher forge the header that names the sequence. With the digest of the body
        // in the id, a forged message cannot take the place of another job.
        let body = &body.to_string()[..16];
        match next_unix_ms {
            Some(next) => Self(format!("d{schedule_sequence}-{next}-{body}").into()),
            None => Self(format!("d{schedule_sequence}-{body}").into()),
        }
    }
}

/// A `TaskName` names a task as `module.function`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskName {
    // One text with the place of the dot: it goes into subjects as a whole, and is split only where a part is
    // needed.
    text: Arc<str>,
    dot: usize,
}

impl TaskName {
    /// Builds the name of the task that `function` of `module` is.
    #[must_use]
    pub fn new(module: &ModuleName, function: &FunctionName) -> Self {
        Self { text: format!("{module}.{function}").into(), dot: module.as_str().len() }
    }

    /// Parses `module.function`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let Some((module, function)) = text.split_once('.') else {
            return Err(InvalidName { what: "task", rule: "`module.function`", found: text.to_owned() });
        };
        ModuleName::check(module)?;
        FunctionName::check(function)?;
        Ok(Self { text: text.into(), dot: module.len() })
    }

    /// Returns `module.function`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the module's name.
    #[must_use]
    pub fn module(&self) -> ModuleName {
        ModuleName(self.text[..self.dot].into())
    }

    /// Returns the function's name.
    #[must_use]
    pub fn function(&self) -> FunctionName {
        FunctionName(self.text[self.dot + 1..].into())
    }
}

text_impls!(TaskName);

/// A `JobKey` is the key of a job's record in the states bucket and the end of its subjects:
/// `module.function.id`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    task: TaskName,
    id: JobId,
    // The key is put together once. Every read, write and log line of the job needs it.
    text: Arc<str>,
}

impl JobKey {
    /// Builds the key of the job `id` of `task`.
    #[must_use]
    pub fn new(task: TaskName, id: JobId) -> Self {
        let text = format!("{task}.{id}").into();
        Self { task, id, text }
    }

    /// Parses `module.function.id`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        // An id has no dot, so that the last dot is the one before it. A further dot is refused with the
        // function.
        let Some((task, id)) = text.rsplit_once('.').filter(|(task, _)| task.contains('.')) else {
            return Err(InvalidName {
                what: "job key",
                rule: "`module.function.id`",
                found: text.to_owned(),
            });
        };
        Ok(Self { task: TaskName::parse(task)?, id: JobId::parse(id)?, text: text.into() })
    }

    /// Returns `module.function.id`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the task.
    #[must_use]
    pub fn task(&self) -> &TaskName {
        &self.task
    }

    /// Returns the job's id.
    #[must_use]
    pub fn id(&self) -> &JobId {
        &self.id
    }
}

text_impls!(JobKey);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_rules() {
        for good in ["a", "thumbs", "a-1", "9lives", &"x".repeat(63)] {
            assert!(ModuleName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a.b", "a*", ">", "a b", "ä", &"x".repeat(64)] {
            assert!(ModuleName::parse(bad).is_err(), "{bad}");
            assert!(JobKey::parse(&format!("{bad}.run.1")).is_err(), "{bad}");
        }
        assert!(FunctionName::parse("to-PNG").is_ok());
        assert!(StateName::parse("PROGRESS_2").is_ok());
        for bad in ["SUCCESS", "progress", "2FAST", "_A", &"A".repeat(33)] {
            assert!(StateName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_falls_into_its_parts() {
        let key = JobKey::parse("thumbs.to-PNG.my_1").unwrap();
        assert_eq!(key.task().module().as_str(), "thumbs");
        assert_eq!(key.task().function().as_str(), "to-PNG");
        assert_eq!(key.id().as_str(), "my_1");
        assert!(JobKey::parse("thumbs.resize").is_err());
        assert!(JobKey::parse("a.b.c.d").is_err());
    }

    #[test]
    fn inboxes_are_subjects_to_which_a_host_may_publish() {
        for good in ["_INBOX.x", "_INBOX_user.x.1", "_R_.abc.def", &format!("_INBOX.{}", "x".repeat(248))] {
            assert!(Inbox::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "_INBOX",
            "_INBOX.",
            "_INBOX..x",
            "_INBOX.*",
            "_INBOX.a.>",
            "_INBOX.a b",
            "_INBOX.ä",
            "_INBOXES.x",
            "$KV.wasmhost-states.m.f.i",
            "wasmhost.jobs.q.m.f",
            "x._INBOX.y",
            &format!("_INBOX.{}", "x".repeat(249)),
        ] {
            assert!(Inbox::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_names_the_thing_and_escapes_it() {
        let error = ModuleName::parse("no\u{1b}[31m").unwrap_err().to_string();
        assert_eq!(error, "module `no\\u{1b}[31m` is not 1-63 of a-z, 0-9 and `-`, not starting with `-`");
    }
}
