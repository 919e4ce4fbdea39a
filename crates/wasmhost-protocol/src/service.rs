//! The JSON that the endpoints `submit`, `revoke` and `status` read and answer. The answer of `revoke` and
//! `status` is a record, whose form is in [`crate::record`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bounds;
use crate::duration::as_optional_text;
use crate::ids::JobKey;
use crate::record::StateLabel;

/// A `SubmitReply` answers a submission whose job was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitReply {
    /// The job's key.
    pub key: JobKey,
    /// The job's state: PENDING, or the state of the equal job that already has this id.
    #[serde(with = "state_as_text")]
    pub state: StateLabel,
    /// The revision of the job's record.
    pub revision: u64,
}

// Serialised as an enum, a custom state would be an object instead of its word.
mod state_as_text {
    use super::StateLabel;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(state: &StateLabel, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(state.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StateLabel, D::Error> {
        let text = String::deserialize(deserializer)?;
        StateLabel::parse(&text)
            .ok_or_else(|| D::Error::custom(format_args!("`{}` is no state", crate::text::escape(&text))))
    }
}

/// A `RevokeRequest` is the body of a request to revoke a job. Every field is optional, and a field that it
/// does not have is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RevokeRequest {
    /// The reason, for people.
    pub reason: Option<String>,
    /// How long a running task may go on, within [`bounds::GRACE`]; `None` stops it at once.
    #[serde(with = "as_optional_text")]
    pub grace: Option<Duration>,
    /// Whether a running job is left alone, as Celery does by default.
    pub if_queued: bool,
}

impl RevokeRequest {
    /// Reads the body of a request. An empty body asks for the defaults. The error is a
    /// [`ServiceErrorKind::BadRequest`] that says what is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        // The reason may quote the body, which a stranger wrote.
        let refuse = |why: &str| ServiceError {
            kind: ServiceErrorKind::BadRequest,
            message: format!(
                "a request to revoke is empty or {{\"reason\", \"grace\", \"if_queued\"}}: {}",
                crate::text::escape(why)
            ),
        };
        match body.trim_ascii().first() {
            None => Ok(Self::default()),
            Some(b'{') => {
                let request: Self =
                    serde_json::from_slice(body).map_err(|error| refuse(&error.to_string()))?;
                let grace = request.grace.map(|grace| bounds::GRACE.check(grace)).transpose();
                grace.map(|_| request).map_err(|error| refuse(&format!("grace: {error}")))
            }
            // serde would read an array as the fields by position.
            Some(_) => Err(refuse("not an object")),
        }
    }
}

/// A `ServiceErrorKind` tells a caller why a service refused its request. The list is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ServiceErrorKind {
    /// The subject, the headers or the body cannot be read, or the job could only fail.
    BadRequest,
    /// There is no such job, or its record has expired.
    NotFound,
    /// The id belongs to a job with other arguments.
    Conflict,
    /// A job with this id was recorded and never published, or its message was removed before any claim.
    NotPublished,
    /// The job runs, and the request was to revoke it only if it is queued.
    AlreadyRunning,
    /// The server has no room for another job; the caller tries later.
    QueueFull,
    /// The server did not answer in time, or refuses; it is not known whether the job is queued.
    Unavailable,
}

impl ServiceErrorKind {
    /// Returns the word in the error's body.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::NotFound => "NotFound",
            Self::Conflict => "Conflict",
            Self::NotPublished => "NotPublished",
            Self::AlreadyRunning => "AlreadyRunning",
            Self::QueueFull => "QueueFull",
            Self::Unavailable => "Unavailable",
        }
    }

    /// Returns the number in the header `Nats-Service-Error-Code`. The numbers are those of HTTP.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::NotPublished => 410,
            Self::AlreadyRunning => 423,
            Self::QueueFull => 429,
            Self::Unavailable => 503,
        }
    }
}

/// A `ServiceError` is the body of a refusal. Its message is in the header `Nats-Service-Error` as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {message}", kind.as_str())]
pub struct ServiceError {
    /// The kind of the error.
    pub kind: ServiceErrorKind,
    /// One sentence for people.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_to_revoke_is_empty_or_exact() {
        assert_eq!(RevokeRequest::parse(b" \n").unwrap(), RevokeRequest::default());
        let full = RevokeRequest {
            reason: Some("user left".into()),
            grace: Some(Duration::from_secs(30)),
            if_queued: true,
        };
        let text = r#"{"reason":"user left","grace":"30s","if_queued":true}"#;
        assert_eq!(serde_json::to_string(&full).unwrap(), text);
        assert_eq!(RevokeRequest::parse(text.as_bytes()).unwrap(), full);
        assert!(RevokeRequest::parse(br#"{"grace":null}"#).is_ok());
        assert!(RevokeRequest::parse(br#"{"grace":"30d"}"#).is_ok());
        let refused = RevokeRequest::parse(br#"{"grace":"30d1ms"}"#).unwrap_err().message;
        assert!(
            refused.ends_with("grace: 30d1ms is more than 30d, the most that may be asked for"),
            "{refused}"
        );
        let unseen = RevokeRequest::parse("{\"\u{9b}2J\u{202e}\":1}".as_bytes()).unwrap_err().message;
        assert!(unseen.contains("`\\u{9b}2J\\u{202e}`"), "{unseen}");
        for bad in [r#"{"raeson":"x"}"#, r#"{"grace":30}"#, "[", "null", "[]"] {
            assert_eq!(
                RevokeRequest::parse(bad.as_bytes()).unwrap_err().kind,
                ServiceErrorKind::BadRequest,
                "{bad}"
            );
        }
    }

    #[test]
    fn answers_have_the_documented_form() {
        let key = JobKey::parse("thumbs.resize.1").unwrap();
        let reply = SubmitReply { key, state: StateLabel::Pending, revision: 7 };
        let text = r#"{"key":"thumbs.resize.1","state":"PENDING","revision":7}"#;
        assert_eq!(serde_json::to_string(&reply).unwrap(), text);
        assert_eq!(serde_json::from_str::<SubmitReply>(text).unwrap(), reply);
        let error = ServiceError { kind: ServiceErrorKind::QueueFull, message: "full".to_owned() };
        assert_eq!(serde_json::to_string(&error).unwrap(), r#"{"kind":"QueueFull","message":"full"}"#);
        assert_eq!(error.to_string(), "QueueFull: full");
    }
}
