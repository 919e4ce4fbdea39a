//! JSON text that is passed on as it is: arguments, meta, results, details. Numbers of any length, the order of keys and
//! the spelling of strings are nobody's business but the reader's; what readers disagree about is refused where it comes in.

mod shape;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Valid JSON text, kept as written and never parsed into a tree on its way through.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

/// A text that is not taken as JSON.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJson {
    /// It is none.
    #[error("not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// Too many objects and arrays stand within each other.
    #[error("nested deeper than {}", Json::MAX_DEPTH)]
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

impl Json {
    /// Objects and arrays within each other, the outermost included, in whatever comes in: arguments, results, meta,
    /// details and the fields of log lines.
    pub const MAX_DEPTH: usize = 64;

    /// Takes a text that comes in, after checking that it is JSON that every reader reads alike.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidJson> {
        let json = Self::stored(text)?;
        shape::check(json.as_str())?;
        Ok(json)
    }

    /// The check of [`Self::parse`], of a text that stays where it is.
    pub fn check(text: &[u8]) -> Result<(), InvalidJson> {
        let json: &RawValue = serde_json::from_slice(text)?;
        shape::check(json.get())
    }

    /// Takes a text that was checked when it came in, or that was written here: any JSON.
    pub fn stored(text: impl Into<String>) -> Result<Self, InvalidJson> {
        Ok(Self(RawValue::from_string(text.into())?))
    }

    /// The JSON text of any serialisable value.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, InvalidJson> {
        Ok(Self(serde_json::value::to_raw_value(value)?))
    }

    /// `null`.
    #[must_use]
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads it as a value of another type.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, InvalidJson> {
        Ok(serde_json::from_str(self.as_str())?)
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::deserialize(deserializer)?))
    }
}
