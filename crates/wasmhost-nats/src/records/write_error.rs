//! Why a record was not written, or may not have been.

use wasmhost_protocol::ids::JobKey;

use crate::publish_failure::Unstored;

/// Why a record was not written, or may not have been.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Another revision stands. Only of a single try.
    #[error("write the record of {0}: another revision stands")]
    Conflict(JobKey),
    /// No answer, or one that leaves it open. Only of a single try.
    #[error("write the record of {key}: {text}")]
    Unknown {
        /// The job.
        key: JobKey,
        /// What went wrong.
        text: String,
    },
    /// JetStream is off, or the bucket was never made.
    #[error(
        "write the record of {key}: {text}; check that JetStream is on: streams and buckets are made by the first \
         `wasmhost serve`"
    )]
    NotSetUp {
        /// The job.
        key: JobKey,
        /// What the server said.
        text: String,
    },
    /// The bucket, the account or the server has no room.
    #[error("write the record of {key}: no room: {text}")]
    Full {
        /// The job.
        key: JobKey,
        /// The server's words.
        text: String,
    },
    /// The record is larger than the bucket or the server takes.
    #[error("write the record of {0}: it is too large")]
    TooLarge(JobKey),
    /// The server refuses the write and would again: a permission is missing, or the bucket is not as wanted.
    #[error("write the record of {key}: {text}")]
    Denied {
        /// The job.
        key: JobKey,
        /// The server's words.
        text: String,
    },
}

impl WriteError {
    pub(crate) fn new(key: &JobKey, unstored: Unstored) -> Self {
        let key = key.clone();
        match unstored {
            Unstored::Conflict => Self::Conflict(key),
            Unstored::Unknown(text) | Unstored::Unheard(text) => Self::Unknown { key, text },
            Unstored::Full(text) => Self::Full { key, text },
            Unstored::TooLarge => Self::TooLarge(key),
            Unstored::Refused(text) => Self::Denied { key, text },
        }
    }
}
