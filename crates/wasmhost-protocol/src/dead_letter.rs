//! The kinds of dead-letter copies.

use crate::record::ErrorKind;

/// A `DeadLetterKind` is the reason for a dead-letter copy as one word, for the header `Wasmhost-Dead-Kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeadLetterKind {
    /// The job has ended in a failure of this kind.
    Failure(ErrorKind),
    /// What is stored as the record of the job is no record.
    UnreadableRecord,
    /// The arguments of the message are not those that the record was made for.
    ArgumentsMismatch,
    /// The record that follows is larger than the server accepts.
    RecordTooLarge,
    /// The state machine knows no claim of the job.
    Unclaimable,
}

impl DeadLetterKind {
    /// Returns the word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failure(kind) => kind.as_str(),
            Self::UnreadableRecord => "UnreadableRecord",
            Self::ArgumentsMismatch => "ArgumentsMismatch",
            Self::RecordTooLarge => "RecordTooLarge",
            Self::Unclaimable => "Unclaimable",
        }
    }
}
