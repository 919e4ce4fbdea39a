//! One upload of an object, as far as storing its description and sending its chunks have it in common.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use wasmhost_protocol::names::ChunksId;

use super::error::ObjectError;
use super::object::Object;
use crate::connect::Connection;
use crate::publish_failure::PublishFailure;
use crate::records::ttl_seconds;

/// The longest time to live. The server adds it to the time now in nanoseconds of 64 bits, which overflow in 2262.
const LONGEST_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// One upload of an object.
pub(super) struct Upload<'a> {
    pub(super) connection: &'a Connection,
    pub(super) store: &'a str,
    pub(super) object: &'a Object<'a>,
    pub(super) id: ChunksId,
    pub(super) chunk_bytes: usize,
    /// Whether a chunk without an acknowledgement may still be stored.
    pub(super) unsettled: AtomicBool,
}

impl Upload<'_> {
    pub(super) fn unstored(&self, failure: PublishFailure) -> ObjectError {
        ObjectError::unstored(self.object.name, failure)
    }

    /// The value of the time-to-live header, for chunks and description alike.
    pub(super) fn ttl(&self) -> Option<String> {
        Some(ttl_seconds(self.object.ttl?.min(LONGEST_TTL)).to_string())
    }
}
