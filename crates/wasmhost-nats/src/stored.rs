//! A message as a stream holds it, whoever wrote it, and the two forms in which the server hands one out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use nats_wire::{BadHeaders, Headers, Message};
use serde::Deserialize;
use wasmhost_protocol::names::header;
use wasmhost_protocol::timestamp::Timestamp;

/// A message as a stream holds it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoredMessage {
    /// The subject to which it was published.
    pub subject: String,
    /// Its sequence in the stream.
    pub sequence: u64,
    /// When it was stored, cut to milliseconds.
    pub stored_at: Timestamp,
    /// Its headers, or why they cannot be read. Any publisher may have written them.
    pub headers: Result<Headers, BadHeaders>,
    /// Its body.
    pub payload: Bytes,
}

/// A message as JetStream's API writes it in JSON: headers and body are in base64.
#[derive(Debug, Deserialize)]
pub(crate) struct RawMessage {
    subject: String,
    seq: u64,
    #[serde(default)]
    hdrs: String,
    #[serde(default)]
    data: String,
    time: String,
}

impl StoredMessage {
    /// Its headers as pairs of name and value; none where they cannot be read.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.headers.iter().flat_map(Headers::iter)
    }

    /// The first value of a header; none where the headers cannot be read.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.as_ref().ok()?.get(name)
    }

    /// Reads a message that JetStream's API wrote.
    pub(crate) fn of_raw(raw: &RawMessage) -> Result<Self, String> {
        let decode =
            |text: &str| STANDARD.decode(text).map_err(|error| format!("unreadable message: {error}"));
        let block = decode(&raw.hdrs)?;
        let headers = if block.is_empty() { Ok(Headers::default()) } else { Headers::parse(&block) };
        let stored_at = Timestamp::parse(&raw.time).map_err(|error| error.to_string())?;
        let payload = Bytes::from(decode(&raw.data)?);
        Ok(Self { subject: raw.subject.clone(), sequence: raw.seq, stored_at, headers, payload })
    }

    /// Reads a message that a direct get or a republish brought; none where the server did not say what it is.
    pub(crate) fn of_direct(message: &Message) -> Option<Self> {
        // The server appends its headers behind the publisher's, who may have written the same names: the last one
        // counts.
        let server_headers = Headers::ending(message.block.as_deref()?);
        Some(Self {
            subject: server_headers.last(header::SUBJECT)?.to_owned(),
            sequence: server_headers.last(header::SEQUENCE)?.parse().ok()?,
            stored_at: Timestamp::parse(server_headers.last(header::TIME_STAMP)?).ok()?,
            headers: message.headers(),
            payload: message.payload.clone(),
        })
    }
}
