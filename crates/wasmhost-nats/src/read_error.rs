//! Why something on the server could not be read.

use crate::api::ApiError;
use crate::codes::{NO_STREAM, OFF};

/// Why something that stands on the server could not be read. Whether it is there is not known.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A permission is missing.
    #[error("read `{subject}`: {text}")]
    Denied {
        /// What was read.
        subject: String,
        /// The server's words.
        text: String,
    },
    /// JetStream is off, or the stream was never made.
    #[error(
        "read `{subject}`: {text}; check that JetStream is on: streams and buckets are made by the first `wasmhost serve`"
    )]
    NotSetUp {
        /// What was read.
        subject: String,
        /// What the server said.
        text: String,
    },
    /// No answer, or one that says nothing about it.
    #[error("read `{subject}`: {text}")]
    Unreachable {
        /// What was read.
        subject: String,
        /// What went wrong.
        text: String,
    },
}

impl ReadError {
    /// Why an answer that was asked for says nothing about what stands.
    pub(crate) fn new(subject: String, error: &ApiError) -> Self {
        let text = error.to_string();
        let is_not_set_up = match error {
            ApiError::NoResponders => true,
            ApiError::Server { err_code, .. } => *err_code == NO_STREAM || OFF.contains(err_code),
            ApiError::Unanswered(_) => false,
        };
        if is_not_set_up { Self::NotSetUp { subject, text } } else { Self::Unreachable { subject, text } }
    }
}
