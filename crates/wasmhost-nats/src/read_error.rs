//! Why something on the server could not be read.

use crate::api::ApiError;
use crate::codes::{NO_STREAM, OFF};

/// Why something on the server could not be read. It is then not known whether it exists.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The connection's user lacks a permission.
    #[error("read `{subject}`: {text}")]
    Denied {
        /// What was to be read.
        subject: String,
        /// The server's description.
        text: String,
    },
    /// JetStream is off, or the stream was never made.
    #[error(
        "read `{subject}`: {text}; check that JetStream is on: streams and buckets are made by the first `wasmhost serve`"
    )]
    NotSetUp {
        /// What was to be read.
        subject: String,
        /// The server's description.
        text: String,
    },
    /// There is no answer, or one that says nothing about it.
    #[error("read `{subject}`: {text}")]
    Unreachable {
        /// What was to be read.
        subject: String,
        /// What went wrong.
        text: String,
    },
}

impl ReadError {
    /// The error of an API request that was to read `subject`.
    pub(crate) fn new(subject: String, error: &ApiError) -> Self {
        let text = error.to_string();
        match error {
            ApiError::Denied(_) => Self::Denied { subject, text },
            // Without JetStream nothing is subscribed to its API.
            ApiError::NoResponders => Self::NotSetUp { subject, text },
            ApiError::Server { err_code, .. } if *err_code == NO_STREAM || OFF.contains(err_code) => {
                Self::NotSetUp { subject, text }
            }
            ApiError::Server { .. } | ApiError::Unanswered(_) => Self::Unreachable { subject, text },
        }
    }
}
