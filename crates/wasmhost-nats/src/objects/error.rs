//! Why an object was not stored or read, and how long its transfer may take.

use std::time::Duration;

use crate::publish_failure::Unstored;
use crate::read_error::ReadError;
use tokio::time::timeout;

/// How long the transfer of one object may take.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(60);

/// Why an object was not stored or read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// There is none.
    #[error("read object `{0}`: there is none")]
    Missing(String),
    /// It is a link to another object.
    #[error("read object `{0}`: it is a link")]
    Link(String),
    /// It is larger than it may be.
    #[error("read object `{name}`: it has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Its name.
        name: String,
        /// Its size.
        bytes: u64,
        /// What it may have.
        limit: u64,
    },
    /// It is not what it should be: other bytes, or a description that does not fit them.
    #[error("read object `{name}`: {why}")]
    Corrupt {
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// Chunks of it are missing: whoever stored it has not finished, or never will.
    #[error("read object `{name}`: {found} of its {wanted} chunks are there")]
    Incomplete {
        /// Its name.
        name: String,
        /// The chunks that are there.
        found: u64,
        /// The chunks that its description tells of.
        wanted: u64,
    },
    /// A permission is missing.
    #[error("use object `{name}`: {text}")]
    Denied {
        /// Its name.
        name: String,
        /// The server's words.
        text: String,
    },
    /// The store, the account or the server has no room.
    #[error("store object `{name}`: no room: {text}")]
    Full {
        /// Its name.
        name: String,
        /// The server's words.
        text: String,
    },
    /// The store was never made, or JetStream is off.
    #[error("use object `{name}`: {text}")]
    NotSetUp {
        /// Its name.
        name: String,
        /// What to do about it.
        text: String,
    },
    /// No answer, or a broken transfer.
    #[error("use object `{name}`: {text}")]
    Failed {
        /// Its name.
        name: String,
        /// What went wrong.
        text: String,
    },
}

impl ObjectError {
    pub(super) fn read(name: &str, error: ReadError) -> Self {
        let name = name.to_owned();
        match error {
            ReadError::Denied { text, .. } => Self::Denied { name, text },
            ReadError::NotSetUp { .. } => Self::NotSetUp { name, text: error.to_string() },
            ReadError::Unreachable { .. } => Self::Failed { name, text: error.to_string() },
        }
    }

    pub(super) fn unstored(name: &str, unstored: Unstored) -> Self {
        match unstored {
            Unstored::Conflict => failed(name, "another object of this name is being stored"),
            Unstored::TooLarge => failed(name, "the server takes no message of the size of a chunk"),
            Unstored::Full(text) => Self::Full { name: name.to_owned(), text },
            Unstored::Unknown(text) | Unstored::Unheard(text) => failed(name, text),
            Unstored::Refused(text) => Self::Denied { name: name.to_owned(), text },
        }
    }
}

pub(super) fn failed(name: &str, why: impl std::fmt::Display) -> ObjectError {
    ObjectError::Failed { name: name.to_owned(), text: why.to_string() }
}

pub(super) fn corrupt(name: &str, why: impl std::fmt::Display) -> ObjectError {
    ObjectError::Corrupt { name: name.to_owned(), why: why.to_string() }
}

/// The transfer, or an error where it takes too long.
pub(super) async fn bounded<T>(
    name: &str,
    transfer: impl Future<Output = Result<T, ObjectError>>,
) -> Result<T, ObjectError> {
    timeout(TRANSFER_TIMEOUT, transfer)
        .await
        .unwrap_or_else(|_| Err(failed(name, "the transfer took too long")))
}
