//! A message as it came.

use bytes::Bytes;

use crate::headers::{BadHeaders, Headers};

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its subject; bytes that are not UTF-8 are replaced by U+FFFD, which no name of ours may have.
    pub subject: String,
    /// Where an answer goes, read as the subject is.
    pub reply: Option<String>,
    /// The block of its headers, unread; none where it was sent without.
    pub block: Option<Bytes>,
    /// Its payload.
    pub payload: Bytes,
}

impl Message {
    /// Its headers.
    ///
    /// # Errors
    ///
    /// Where they cannot be read.
    pub fn headers(&self) -> Result<Headers, BadHeaders> {
        self.block.as_ref().map_or_else(|| Ok(Headers::default()), |block| Headers::parse(block))
    }

    /// The status of the server's own answers; none for all else, and for headers that cannot be read.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.headers().ok()?.status()
    }
}
