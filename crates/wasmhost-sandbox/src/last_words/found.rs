//! What a reader of one language finds in standard error.

/// What a guest said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastWords {
    /// The guest's own words: the error's type where the language names it, its message, and its place.
    pub(crate) message: String,
    /// Whether they say that there was no memory.
    pub(crate) no_memory: bool,
    /// Whether the language's runtime exits after them; others abort.
    pub(crate) exits: bool,
}

/// What a reader found.
pub(super) struct Found {
    /// Where it begins.
    pub(super) at: usize,
    pub(super) words: LastWords,
    /// It only says that an error was not caught, and the error itself stands before it.
    pub(super) wraps: bool,
}

impl Found {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        let words = LastWords { message: message.into(), no_memory: false, exits: false };
        Self { at, words, wraps: false }
    }
}

/// Where last words begin that a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With that line.
    Here,
    /// With the line before it.
    Before,
}
