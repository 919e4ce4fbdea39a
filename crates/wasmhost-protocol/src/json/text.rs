//! JSON text as a value: checked when it comes in, then passed on as written.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::invalid::{InvalidJson, MAX_DEPTH};
use super::shape;

/// Valid JSON text, kept as written and never parsed into a tree on its way through.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Objects and arrays within each other, the outermost included, in whatever comes in: arguments, results, meta,
    /// details and the fields of log lines.
    pub const MAX_DEPTH: usize = MAX_DEPTH;

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
