//! What a reader of one language finds in standard error.

/// What a guest said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastWords {
    /// The guest's own words: the error's type where the language names it, its message, and its place.
    pub(crate) message: String,
    /// Whether they say that there was no memory.
    pub(crate) out_of_memory: bool,
    /// Whether the language's runtime exits after them; others abort.
    pub(crate) runtime_exits: bool,
}

/// What a reader found.
pub(super) struct Found {
    /// Where it begins.
    pub(super) at: usize,
    pub(super) words: LastWords,
    /// It only says that an error was not caught, and the error itself stands before it.
    pub(super) wraps_another: bool,
}

impl Found {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        let words = LastWords { message: message.into(), out_of_memory: false, runtime_exits: false };
        Self { at, words, wraps_another: false }
    }
}

/// Where last words begin that a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// With that line.
    ThisLine,
    /// With the line before it.
    PreviousLine,
}
