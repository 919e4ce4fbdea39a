//! The description of an object: the JSON that all clients of NATS store under an object's name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::names::{ChunksId, Names};

use super::error::{ObjectError, corrupt};
use super::object::Object;
use crate::clock::now;
use crate::connect::Connection;
use crate::message::{MessageSelector, read};

/// The description of an object. Other clients may have written it, so that every field but the name may be missing.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Description {
    name: String,
    #[serde(default)]
    bucket: String,
    /// The id of its chunks.
    #[serde(default)]
    nuid: String,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default)]
    pub(super) chunks: u64,
    #[serde(default)]
    options: Option<Options>,
    #[serde(default)]
    mtime: Value,
    #[serde(default)]
    digest: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) deleted: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Options {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_chunk_size: Option<u64>,
}

impl Description {
    /// Describes an object that is stored now, in chunks of this size.
    pub(super) fn of(store: &str, object: &Object<'_>, id: &ChunksId, chunk_bytes: usize) -> Self {
        let bytes = object.bytes.len();
        Self {
            name: object.name.to_owned(),
            bucket: store.to_owned(),
            nuid: id.to_string(),
            size: bytes as u64,
            chunks: bytes.div_ceil(chunk_bytes) as u64,
            options: Some(Options { link: None, max_chunk_size: Some(chunk_bytes as u64) }),
            mtime: Value::String(now().to_string()),
            digest: Some(object_digest(object.digest)),
            deleted: false,
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a description can be written as JSON")
    }

    pub(super) fn is_link(&self) -> bool {
        self.options.as_ref().is_some_and(|options| options.link.is_some())
    }

    pub(super) fn is_of(&self, store: &str, name: &str) -> bool {
        self.bucket == store && self.name == name
    }

    /// The id of its chunks; none where the description of a deleted object, or a stranger's, has none that a subject
    /// can hold.
    pub(super) fn id(&self) -> Option<ChunksId> {
        ChunksId::parse(&self.nuid).ok()
    }
}

/// Reads the description that is stored under the name, from the stream's leader. Anything else under the name is an
/// error.
pub(super) async fn stored_description(
    connection: &Connection,
    store: &str,
    name: &str,
) -> Result<Option<Description>, ObjectError> {
    let stream = Names::stream_of_store(store);
    let subject = subject(store, name);
    let message = read(connection, &stream, MessageSelector::LastOn(&subject)).await;
    let Some(message) = message.map_err(|error| ObjectError::read(name, error))? else { return Ok(None) };
    let description = serde_json::from_slice(&message.payload);
    description
        .map(Some)
        .map_err(|error| corrupt(name, format_args!("its description is unreadable: {error}")))
}

/// The subject of an object's description. A name may have any characters; base64 has no wildcard among its own.
pub(super) fn subject(store: &str, name: &str) -> String {
    let mut subject = Names::object_descriptions(store);
    URL_SAFE.encode_string(name, &mut subject);
    subject
}

/// Reads the name from the subject of a description; none where it is not base64 of a text.
pub(super) fn name_of(store: &str, subject: &str) -> Option<String> {
    let encoded = subject.strip_prefix(&Names::object_descriptions(store))?;
    String::from_utf8(URL_SAFE.decode(encoded).ok()?).ok()
}

/// The digest in the form in which object stores write it.
fn object_digest(digest: &Digest) -> String {
    format!("SHA-256={}", URL_SAFE.encode(digest.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_from_its_subject() {
        for name in ["a.b.c/1-token-result", "\u{e9}>*", ""] {
            let subject = subject("wasmhost-blobs", name);
            assert!(!subject.contains(['*', '>', ' ']), "{subject}");
            assert_eq!(name_of("wasmhost-blobs", &subject).as_deref(), Some(name));
        }
        assert_eq!(name_of("wasmhost-blobs", "$O.wasmhost-blobs.M.%"), None);
        assert_eq!(name_of("wasmhost-blobs", "$O.other.M.YQ=="), None);
    }

    #[test]
    fn descriptions_of_other_clients_are_read() {
        let go = r#"{"name":"n","headers":{"A":["b"]},"options":{"max_chunk_size":131072},"bucket":"s","nuid":"N1",
            "size":3,"mtime":"0001-01-01T00:00:00Z","chunks":1,"digest":"SHA-256=x"}"#;
        let read: Description = serde_json::from_str(go).unwrap();
        assert!(read.is_of("s", "n") && !read.is_link() && !read.deleted);
        assert_eq!((read.size, read.chunks, read.id()), (3, 1, ChunksId::parse("N1").ok()));
        let link = r#"{"name":"n","bucket":"s","options":{"link":{"bucket":"s","name":"n"}}}"#;
        assert!(serde_json::from_str::<Description>(link).unwrap().is_link());
        let wild = r#"{"name":"n","bucket":"s","nuid":">","mtime":null,"options":null}"#;
        assert_eq!(serde_json::from_str::<Description>(wild).unwrap().id(), None);
    }
}
