//! Why a job was not published, or may not have been.

use wasmhost_protocol::ids::JobKey;

use crate::publish_failure::PublishFailure;

/// Why a job was not published, or may not have been.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The queue or the schedule stream already holds a message for this key.
    #[error("publish job {0}: a message for it is stored already")]
    AlreadyStored(JobKey),
    /// The stream, the account or the server has no room.
    #[error("publish job {key}: the queue is full: {text}")]
    Full {
        /// The job.
        key: JobKey,
        /// The server's description.
        text: String,
    },
    /// There is no answer, or one that leaves open whether the message is stored.
    #[error("publish job {key}: {text}")]
    Unknown {
        /// The job.
        key: JobKey,
        /// What went wrong.
        text: String,
    },
    /// No stream accepts the subject: the message is not stored.
    #[error("publish job {key}: {text}")]
    NoStream {
        /// The job.
        key: JobKey,
        /// What went wrong.
        text: String,
    },
    /// The message is larger than the stream or the server takes.
    #[error("publish job {0}: it is too large")]
    TooLarge(JobKey),
    /// The server refuses the message and would refuse it again: a permission is missing, or the stream is not as
    /// required.
    #[error("publish job {key}: {text}")]
    Denied {
        /// The job.
        key: JobKey,
        /// The server's description.
        text: String,
    },
}

impl PublishError {
    pub(crate) fn new(key: &JobKey, failure: PublishFailure) -> Self {
        let key = key.clone();
        match failure {
            PublishFailure::Conflict => Self::AlreadyStored(key),
            PublishFailure::Full(text) => Self::Full { key, text },
            PublishFailure::Unknown(text) => Self::Unknown { key, text },
            PublishFailure::NoStream(text) => Self::NoStream { key, text },
            PublishFailure::TooLarge => Self::TooLarge(key),
            PublishFailure::Refused(text) => Self::Denied { key, text },
        }
    }
}
