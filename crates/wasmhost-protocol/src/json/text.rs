//! JSON text as a value: it is checked where it comes in and then passed on as it was written.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::invalid::{InvalidJson, MAX_DEPTH};
use super::shape;

/// A `Json` holds valid JSON text as it was written. The text is never parsed into a tree on its way: a tree
/// loses digits of long numbers, reorders names and keeps only one of two equal names.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The most objects and arrays within each other, the outermost included, in any text that comes in:
    /// arguments, results, meta, details and the fields of log lines.
    pub const MAX_DEPTH: usize = MAX_DEPTH;

    /// Accepts a text that comes in, after checking that it is JSON, is nested no deeper than
    /// [`Self::MAX_DEPTH`] and has no object with a name twice.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidJson> {
        let json = Self::stored(text)?;
        shape::check(json.as_str())?;
        Ok(json)
    }

    /// Checks a text as [`Self::parse`] does, without taking it.
    pub fn check(text: &[u8]) -> Result<(), InvalidJson> {
        let json: &RawValue = serde_json::from_slice(text)?;
        shape::check(json.get())
    }

    /// Accepts any JSON. It is for a text that was checked when it came in, or that this program wrote.
    pub fn stored(text: impl Into<String>) -> Result<Self, InvalidJson> {
        Ok(Self(RawValue::from_string(text.into())?))
    }

    /// Serialises a value as JSON text. The error says why the value cannot be written as JSON.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, InvalidJson> {
        Ok(Self(serde_json::value::to_raw_value(value)?))
    }

    /// Returns `null`.
    #[must_use]
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Deserialises the text as a value of another type.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, InvalidJson> {
        Ok(serde_json::from_str(self.as_str())?)
    }
}

// Texts are compared as they are written. Whether two of them mean the same is a question of the canonical
// form.
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
