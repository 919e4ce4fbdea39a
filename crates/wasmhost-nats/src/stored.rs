//! A message as it stands in a stream, whoever wrote it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use nats_wire::{BadHeaders, Headers, Message};
use serde::Deserialize;
use wasmhost_protocol::names::header;
use wasmhost_protocol::timestamp::Timestamp;

/// A message as it stands in a stream.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    /// Its subject.
    pub subject: String,
    /// Its sequence.
    pub sequence: u64,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// Its headers, or why they cannot be read.
    pub headers: Result<Headers, BadHeaders>,
    /// Its body.
    pub payload: Bytes,
}

/// The same as JetStream's API writes it.
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
    /// Its headers as pairs; none where they cannot be read.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.headers.iter().flat_map(Headers::iter)
    }

    /// The first value of a header; none where they cannot be read.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.as_ref().ok()?.get(name)
    }

    /// Reads what the API wrote.
    pub(crate) fn of_raw(raw: &RawMessage) -> Result<Self, String> {
        let decode =
            |text: &str| STANDARD.decode(text).map_err(|error| format!("unreadable message: {error}"));
        let block = decode(&raw.hdrs)?;
        let headers = if block.is_empty() { Ok(Headers::default()) } else { Headers::parse(&block) };
        let stored_at = Timestamp::parse(&raw.time).map_err(|error| error.to_string())?;
        let payload = Bytes::from(decode(&raw.data)?);
        Ok(Self { subject: raw.subject.clone(), sequence: raw.seq, stored_at, headers, payload })
    }

    /// Reads what was got directly, or republished: the server says in headers of its own, behind all others, what it is. None
    /// where it does not.
    pub(crate) fn of_direct(message: &Message) -> Option<Self> {
        let told = Headers::ending(message.block.as_deref()?);
        Some(Self {
            subject: told.last(header::SUBJECT)?.to_owned(),
            sequence: told.last(header::SEQUENCE)?.parse().ok()?,
            stored_at: Timestamp::parse(told.last(header::TIME_STAMP)?).ok()?,
            headers: message.headers(),
            payload: message.payload.clone(),
        })
    }
}
