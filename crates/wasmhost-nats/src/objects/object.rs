//! An object that is to be stored.

use std::time::Duration;

use bytes::Bytes;
use wasmhost_protocol::digest::Digest;

/// An object that is to be stored.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a Bytes,
    pub(crate) digest: &'a Digest,
    pub(crate) readers: Readers,
    /// The time after which the server deletes the object; none: it stays.
    pub(crate) ttl: Option<Duration>,
}

/// Who may read an object while it is being stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Anybody who knows its name. The description is stored last, so that the object appears whole, in place of one
    /// that was there.
    Any,
    /// Nobody, since nobody is told its name before it is stored. The description is stored first, so that the chunks
    /// of a host that dies are found by it.
    NoneYet,
}
