//! Object stores, laid out as all clients of NATS lay them out: chunks under an id of the upload, and a description under the
//! object's name.

use std::fmt;

use super::deployment::{Names, object_stream};
use crate::ids::InvalidName;

/// Bytes of an id of chunks.
const ID_BYTES: usize = 64;

/// The id of one upload, under which its chunks stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChunksId(String);

impl ChunksId {
    /// From 128 random bits of the caller's.
    #[must_use]
    pub fn from_random(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// Reads one from a description, which may be anybody's: no wildcard passes.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
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

/// Object stores. `store` is one of [`Names`]' own.
impl Names {
    /// The stream behind a store: `OBJ_<store>`.
    #[must_use]
    pub fn stream_of_store(store: &str) -> String {
        object_stream(store)
    }

    /// The chunks of one upload: `$O.<store>.C.<id>`.
    #[must_use]
    pub fn object_chunks(store: &str, id: &ChunksId) -> String {
        format!("$O.{store}.C.{id}")
    }

    /// What the subject of a description starts with; the object's name in URL-safe base64 follows: `$O.<store>.M.`.
    #[must_use]
    pub fn object_descriptions(store: &str) -> String {
        format!("$O.{store}.M.")
    }

    /// All descriptions: `$O.<store>.M.>`.
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
