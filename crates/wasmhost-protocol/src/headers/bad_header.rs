//! The error for a header that makes a message a bad job.

use crate::bounds::OutOfBounds;

/// `BadHeader` reports a `Wasmhost-*` header that makes the message a bad job, by the header's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadHeader {
    /// There is no header of this name.
    #[error("header `{}` is unknown", escape_short(.name))]
    Unknown {
        /// The name as it was found. The message escapes it and shows at most 80 bytes of it.
        name: String,
    },
    /// The header is for the submit service only and is on a job message.
    #[error("header `{name}` is unknown on a job message: only the submit service takes it")]
    Misplaced {
        /// The proper name of the header.
        name: &'static str,
    },
    /// The header is given more than once. Letter case makes no difference.
    #[error("header `{name}` is repeated")]
    Repeated {
        /// The proper name of the header.
        name: &'static str,
    },
    /// The value cannot be read.
    #[error("header `{name}` is unreadable: {why}")]
    Unreadable {
        /// The proper name of the header.
        name: &'static str,
        /// What is wrong with the value.
        why: String,
    },
    /// The value is outside of the bounds of its header.
    #[error("header `{name}`: {source}")]
    OutOfBounds {
        /// The proper name of the header.
        name: &'static str,
        /// The value and the bound that it passes.
        source: OutOfBounds,
    },
    /// Two headers exclude each other, and both are given.
    #[error("header `{name}` cannot stand beside `{other}`")]
    Excluded {
        /// The proper name of the one.
        name: &'static str,
        /// The proper name of the other.
        other: &'static str,
    },
}

/// Escapes what a stranger wrote, and cuts it to a length that fits into an error.
pub(super) fn escape_short(text: &str) -> String {
    crate::text::escape(crate::text::truncate(text, 80))
}
