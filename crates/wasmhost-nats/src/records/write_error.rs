//! Why a record was not written, or may not have been.

use wasmhost_protocol::ids::JobKey;

use crate::publish_failure::PublishFailure;

/// Why a record was not written, or may not have been.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Another revision is the newest. Only a single try ends so.
    #[error("write the record of {0}: another revision stands")]
    Conflict(JobKey),
    /// There is no answer, or one that leaves open whether the record is stored. Only a single try ends so.
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
        /// The server's description.
        text: String,
    },
    /// The bucket, the account or the server has no room.
    #[error("write the record of {key}: no room: {text}")]
    Full {
        /// The job.
        key: JobKey,
        /// The server's description.
        text: String,
    },
    /// The record is larger than the bucket or the server takes.
    #[error("write the record of {0}: it is too large")]
    TooLarge(JobKey),
    /// The server refuses the write and would refuse it again: a permission is missing, or the bucket is not as
    /// required.
    #[error("write the record of {key}: {text}")]
    Denied {
        /// The job.
        key: JobKey,
        /// The server's description.
        text: String,
    },
}

impl WriteError {
    pub(crate) fn new(key: &JobKey, failure: PublishFailure) -> Self {
        let key = key.clone();
        match failure {
            PublishFailure::Conflict => Self::Conflict(key),
            // No stream takes the subject: it may be on its way back, as where a server starts.
            PublishFailure::Unknown(text) | PublishFailure::NoStream(text) => Self::Unknown { key, text },
            PublishFailure::Full(text) => Self::Full { key, text },
            PublishFailure::TooLarge => Self::TooLarge(key),
            PublishFailure::Refused(text) => Self::Denied { key, text },
        }
    }
}
