//! Why a job was not published, or may not have been.

use wasmhost_protocol::ids::JobKey;

use crate::publish_failure::Unstored;

/// Why a job was not published, or may not have been.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A message for this key stands in this queue.
    #[error("publish job {0}: a message for it stands")]
    Stands(JobKey),
    /// The stream, the account or the server has no room.
    #[error("publish job {key}: the queue is full: {text}")]
    Full {
        /// The job.
        key: JobKey,
        /// The server's words.
        text: String,
    },
    /// No answer, or one that leaves it open.
    #[error("publish job {key}: {text}")]
    Unknown {
        /// The job.
        key: JobKey,
        /// What went wrong.
        text: String,
    },
    /// No stream listens: it was not stored.
    #[error("publish job {key}: {text}")]
    Unheard {
        /// The job.
        key: JobKey,
        /// What went wrong.
        text: String,
    },
    /// The message is larger than the stream or the server takes.
    #[error("publish job {0}: it is too large")]
    TooLarge(JobKey),
    /// The server refuses it and would again: a permission is missing, or the stream is not as wanted.
    #[error("publish job {key}: {text}")]
    Denied {
        /// The job.
        key: JobKey,
        /// The server's words.
        text: String,
    },
}

impl PublishError {
    pub(crate) fn new(key: &JobKey, unstored: Unstored) -> Self {
        let key = key.clone();
        match unstored {
            Unstored::Conflict => Self::Stands(key),
            Unstored::Full(text) => Self::Full { key, text },
            Unstored::Unknown(text) => Self::Unknown { key, text },
            Unstored::Unheard(text) => Self::Unheard { key, text },
            Unstored::TooLarge => Self::TooLarge(key),
            Unstored::Refused(text) => Self::Denied { key, text },
        }
    }
}
