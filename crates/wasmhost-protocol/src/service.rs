//! What the endpoints `submit`, `revoke` and `status` read and answer, as JSON. A record, the answer of the last two,
//! has its own form.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bounds;
use crate::duration::as_optional_text;
use crate::ids::JobKey;
use crate::record::StateLabel;

/// The answer to an accepted job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitReply {
    /// The job's key.
    pub key: JobKey,
    /// Its state: PENDING, or where an equal job with this id stands.
    #[serde(with = "state_as_text")]
    pub state: StateLabel,
    /// Revision of its record.
    pub revision: u64,
}

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

/// The body of a request to revoke.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RevokeRequest {
    /// Why, for people.
    pub reason: Option<String>,
    /// How long a running task may take to stop; none: stopped at once.
    #[serde(with = "as_optional_text")]
    pub grace: Option<Duration>,
    /// Leaves a job alone that runs: Celery's default.
    pub if_queued: bool,
}

impl RevokeRequest {
    /// Reads a body; an empty one asks for nothing special.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
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
                let grace = request.grace.map(|grace| bounds::GRACE.hold(grace)).transpose();
                grace.map(|_| request).map_err(|error| refuse(&format!("grace: {error}")))
            }
            // serde would read an array by position.
            Some(_) => Err(refuse("not an object")),
        }
    }
}

/// The closed list of a service error's `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ServiceErrorKind {
    /// Subject, headers or body cannot be read.
    BadRequest,
    /// No such job.
    NotFound,
    /// The id belongs to a job with other arguments.
    Conflict,
    /// The job was recorded but never published, or removed before any claim.
    NotPublished,
    /// The job runs, and was to be revoked only if queued.
    AlreadyRunning,
    /// The queue takes no more; try later.
    QueueFull,
    /// The server did not answer in time; the outcome is not known.
    Unavailable,
}

impl ServiceErrorKind {
    /// The word in the body.
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

    /// The number in the header `Nats-Service-Error-Code`, after HTTP's.
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

/// The body of an error; its message stands in the header `Nats-Service-Error` as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {message}", kind.as_str())]
pub struct ServiceError {
    /// What kind of error.
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
