//! What the reader of a language finds in standard error.

/// The last words of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastWords {
    /// The error in the guest's own words: its type where the language names it, its message, and its location.
    pub(crate) message: String,
    /// Whether the words say that there was no memory.
    pub(crate) out_of_memory: bool,
    /// Whether the runtime of the language exits after them; those of other languages abort.
    pub(crate) runtime_exits: bool,
}

/// Last words, with their place in standard error.
pub(super) struct Found {
    /// The offset of their first byte.
    pub(super) offset: usize,
    pub(super) words: LastWords,
    /// Whether they only say that an error was not caught, while the error itself stands before them.
    pub(super) wraps_another: bool,
}

impl Found {
    /// Words of a runtime that aborts, and that say nothing of memory.
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        let words = LastWords { message: message.into(), out_of_memory: false, runtime_exits: false };
        Self { offset, words, wraps_another: false }
    }
}

/// Where last words start that a line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// With the line itself.
    ThisLine,
    /// With the line before it.
    PreviousLine,
}
