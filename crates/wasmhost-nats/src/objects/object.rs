//! An object that is to be stored.

use std::time::Duration;

use bytes::Bytes;
use wasmhost_protocol::digest::Digest;

/// What is stored.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a Bytes,
    pub(crate) digest: &'a Digest,
    pub(crate) readers: Readers,
    /// After this time the server removes it; none: it stays.
    pub(crate) ttl: Option<Duration>,
}

/// Who may read an object while it is being stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Anybody knows its name. The description goes last, so that the object appears whole, in place of one that stood.
    Any,
    /// Nobody is told its name before it is stored. The description goes first, so that a chunk whose host died stands under
    /// one, where it can be found.
    NoneYet,
}
