//! Why a text is not taken as JSON.

/// Objects and arrays within each other, the outermost included.
pub(super) const MAX_DEPTH: usize = 64;

/// A text that is not taken as JSON.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJson {
    /// It is none.
    #[error("not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// Too many objects and arrays stand within each other.
    #[error("nested deeper than {}", MAX_DEPTH)]
    TooDeep,
    /// An object has a name twice: readers differ in which value they take.
    #[error("{path}: given twice")]
    Twice {
        /// The name, with where its object stands: `items[3].width`.
        path: String,
    },
}

impl InvalidJson {
    /// The same as a sentence that begins with `subject`, such as "the arguments are"; a name that stands twice has its own
    /// place.
    #[must_use]
    pub fn of(&self, subject: &str) -> String {
        match self {
            Self::NotJson(_) | Self::TooDeep => format!("{subject} {self}"),
            Self::Twice { .. } => self.to_string(),
        }
    }
}
