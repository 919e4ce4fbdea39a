//! Names of object stores. They are laid out as every client of NATS lays them out: the chunks of an object
//! under the id of its upload, and its description under its name.

use std::fmt;

use super::deployment::{Names, object_stream};
use crate::ids::InvalidName;

/// The most bytes of the id of an upload.
const ID_BYTES: usize = 64;

/// A `ChunksId` is the id of one upload, under which its chunks are stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChunksId(String);

impl ChunksId {
    /// Builds an id from 128 random bits of the caller.
    #[must_use]
    pub fn from_random(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// Parses an id of 1 to 64 letters and digits from an object's description.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        // Anybody may have written the description. With a wildcard in the id, reading or purging its chunks
        // would reach those of other objects.
        let fits = (1..=ID_BYTES).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName::new("id of chunks", "1 to 64 letters and digits", text))
        }
    }
}

impl fmt::Display for ChunksId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names of object stores. `store` is a name that [`Names::components_store`] or [`Names::blobs_store`]
/// returns.
impl Names {
    /// Returns the stream behind a store: `OBJ_<store>`.
    #[must_use]
    pub fn stream_of_store(store: &str) -> String {
        object_stream(store)
    }

    /// Returns the subject of the chunks of an upload: `$O.<store>.C.<id>`.
    #[must_use]
    pub fn object_chunks(store: &str, id: &ChunksId) -> String {
        format!("$O.{store}.C.{id}")
    }

    /// Returns the beginning of a description's subject, which the object's name in URL-safe base64 follows:
    /// `$O.<store>.M.`.
    #[must_use]
    pub fn object_descriptions(store: &str) -> String {
        format!("$O.{store}.M.")
    }

    /// Returns the subject of all descriptions: `$O.<store>.M.>`.
    #[must_use]
    pub fn object_descriptions_filter(store: &str) -> String {
        format!("$O.{store}.M.>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wildcard_is_an_id_of_chunks() {
        let store = "wasmhost-blobs";
        let id = ChunksId::parse("PMd3xZyyjXQ5s6RVkJdIXn").unwrap();
        assert_eq!(Names::object_chunks(store, &id), "$O.wasmhost-blobs.C.PMd3xZyyjXQ5s6RVkJdIXn");
        for text in ["", ">", "*", "a.b", "a b", "a>", "\u{e9}", &"a".repeat(65)] {
            assert!(ChunksId::parse(text).is_err(), "{text}");
        }
        assert!(ChunksId::parse(&ChunksId::from_random(7).to_string()).is_ok());
    }
}
