//! The reasons for which a text is not accepted as JSON.

/// The most objects and arrays within each other, the outermost included.
pub(super) const MAX_DEPTH: usize = 64;

/// `InvalidJson` reports why a text is not accepted as JSON.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJson {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// More than 64 objects and arrays are within each other.
    #[error("nested deeper than {}", MAX_DEPTH)]
    TooDeep,
    /// An object has a name twice. Readers differ in which of the two values they take.
    #[error("{path}: given twice")]
    Twice {
        /// The path of the name, such as `items[3].width`.
        path: String,
    },
}

impl InvalidJson {
    /// Returns the error as a sentence that begins with `subject`, such as "the arguments are". A name that
    /// is given twice is not preceded by it: the path says already what is meant.
    #[must_use]
    pub fn about(&self, subject: &str) -> String {
        match self {
            Self::NotJson(_) | Self::TooDeep => format!("{subject} {self}"),
            Self::Twice { .. } => self.to_string(),
        }
    }
}
