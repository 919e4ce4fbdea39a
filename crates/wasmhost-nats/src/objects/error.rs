//! Why an object was not stored, read or deleted, and how long its transfer may take.

use std::time::Duration;

use tokio::time::timeout;

use crate::publish_failure::PublishFailure;
use crate::read_error::ReadError;

/// How long the transfer of one object may take.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(60);

/// Why an object was not stored, read or deleted.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// There is no such object.
    #[error("read object `{0}`: there is none")]
    Missing(String),
    /// It is a link to another object, and links are not followed.
    #[error("read object `{0}`: it is a link")]
    Link(String),
    /// The object is larger than it may be.
    #[error("read object `{name}`: it has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// The object's name.
        name: String,
        /// The object's size in bytes.
        bytes: u64,
        /// The most bytes that it may have.
        limit: u64,
    },
    /// The object is not what it should be: it has other bytes, or a description that does not fit them.
    #[error("read object `{name}`: {why}")]
    Corrupt {
        /// The object's name.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// Chunks of the object are missing: whoever stores it has not finished, or has died.
    #[error("read object `{name}`: {found} of its {wanted} chunks are there")]
    Incomplete {
        /// The object's name.
        name: String,
        /// How many chunks are there.
        found: u64,
        /// How many chunks its description names.
        wanted: u64,
    },
    /// A permission is missing.
    #[error("use object `{name}`: {text}")]
    Denied {
        /// The object's name.
        name: String,
        /// The server's description.
        text: String,
    },
    /// The store, the account or the server has no room.
    #[error("store object `{name}`: no room: {text}")]
    Full {
        /// The object's name.
        name: String,
        /// The server's description.
        text: String,
    },
    /// JetStream is off, or the store was never made.
    #[error("use object `{name}`: {text}")]
    NotSetUp {
        /// The object's name.
        name: String,
        /// The server's description, and what to do about it.
        text: String,
    },
    /// There is no answer, or the transfer broke.
    #[error("use object `{name}`: {text}")]
    Failed {
        /// The object's name.
        name: String,
        /// What went wrong.
        text: String,
    },
}

impl ObjectError {
    /// The error of a read or a removal in the store.
    pub(super) fn read(name: &str, error: ReadError) -> Self {
        let name = name.to_owned();
        match error {
            ReadError::Denied { text, .. } => Self::Denied { name, text },
            ReadError::NotSetUp { .. } => Self::NotSetUp { name, text: error.to_string() },
            ReadError::Unreachable { .. } => Self::Failed { name, text: error.to_string() },
        }
    }

    /// The error of a publish to the store.
    pub(super) fn unstored(name: &str, failure: PublishFailure) -> Self {
        match failure {
            PublishFailure::Conflict => failed(name, "another object of this name is being stored"),
            PublishFailure::TooLarge => failed(name, "the server takes no message of the size of a chunk"),
            PublishFailure::Full(text) => Self::Full { name: name.to_owned(), text },
            PublishFailure::Unknown(text) | PublishFailure::NoStream(text) => failed(name, text),
            PublishFailure::Refused(text) => Self::Denied { name: name.to_owned(), text },
        }
    }
}

pub(super) fn failed(name: &str, why: impl std::fmt::Display) -> ObjectError {
    ObjectError::Failed { name: name.to_owned(), text: why.to_string() }
}

pub(super) fn corrupt(name: &str, why: impl std::fmt::Display) -> ObjectError {
    ObjectError::Corrupt { name: name.to_owned(), why: why.to_string() }
}

/// Waits for the transfer; one that takes too long is an error.
pub(super) async fn bounded<T>(
    name: &str,
    transfer: impl Future<Output = Result<T, ObjectError>>,
) -> Result<T, ObjectError> {
    timeout(TRANSFER_TIMEOUT, transfer)
        .await
        .unwrap_or_else(|_| Err(failed(name, "the transfer took too long")))
}
