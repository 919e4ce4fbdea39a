//! The namespace of a deployment.

use std::fmt;
use std::str::FromStr;

use crate::ids::InvalidName;

/// A `Namespace` is the prefix of all names of one deployment, so that several deployments can share a
/// server. The default is `wasmhost`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Namespace(Box<str>);

impl Namespace {
    /// Parses 1 to 32 characters of `a-z`, `0-9` and `-`, not starting with `-`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=32).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(allowed) {
            return Ok(Self(text.into()));
        }
        Err(InvalidName::new("namespace", "1-32 of a-z, 0-9 and `-`, not starting with `-`", text))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self("wasmhost".into())
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Namespace {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::parse(text)
    }
}
