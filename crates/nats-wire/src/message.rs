//! Messages as they are received.

use bytes::Bytes;

use crate::headers::{BadHeaders, Headers};

/// A message as it was received. Its headers are parsed only when they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The subject. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub subject: String,
    /// The subject for an answer, read like the subject; none where no answer is wanted.
    pub reply: Option<String>,
    /// The block of headers as it came; none where the message has no headers.
    pub block: Option<Bytes>,
    /// The payload.
    pub payload: Bytes,
}

impl Message {
    /// Parses the headers.
    ///
    /// # Errors
    ///
    /// The block breaks a rule of headers.
    pub fn headers(&self) -> Result<Headers, BadHeaders> {
        self.block.as_ref().map_or_else(|| Ok(Headers::default()), |block| Headers::parse(block))
    }

    /// The status of an answer of the server itself; none for every other message, and where the headers cannot be parsed.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.headers().ok()?.status()
    }
}
