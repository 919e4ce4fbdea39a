//! One upload of an object.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use wasmhost_protocol::names::ChunksId;

use super::error::ObjectError;
use super::object::Object;
use crate::connect::Connection;
use crate::publish_failure::Unstored;
use crate::records::ttl_seconds;

/// The longest time to live that the server's arithmetic bears, with room to spare.
const LONGEST_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// One upload of an object.
pub(super) struct Upload<'a> {
    pub(super) connection: &'a Connection,
    pub(super) store: &'a str,
    pub(super) object: &'a Object<'a>,
    pub(super) id: ChunksId,
    pub(super) chunk_bytes: usize,
    /// Whether a chunk may be stored yet, for all that is known.
    pub(super) unsettled: AtomicBool,
}

impl Upload<'_> {
    pub(super) fn unstored(&self, unstored: Unstored) -> ObjectError {
        ObjectError::unstored(self.object.name, unstored)
    }

    pub(super) fn ttl(&self) -> Option<String> {
        Some(ttl_seconds(self.object.ttl?.min(LONGEST_TTL)).to_string())
    }
}
