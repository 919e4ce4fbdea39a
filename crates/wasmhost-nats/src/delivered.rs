//! A message as a consumer delivers it, and the answers that JetStream takes for it. Which answer is due is not decided
//! here.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use nats_wire::{BadHeaders, Headers, Message};
use wasmhost_protocol::names::ack::{self, AckSubject};
use wasmhost_protocol::timestamp::Timestamp;

use crate::connect::{ANSWER_TIMEOUT, Connection};
use crate::outgoing::SendError;

/// How long an answer may wait that is worth nothing if it comes late: less than the shortest `ack_wait`.
const PROMPTLY: Duration = Duration::from_millis(500);

/// Payloads that are smaller than this are copied: a part of what nats-wire reads at once.
const COPIED_BYTES: usize = 8 << 10;

/// A message as a consumer delivered it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivered {
    /// The subject to which it was published.
    pub subject: String,
    /// Its headers, or why they cannot be read. Any publisher may have written them.
    pub headers: Result<Headers, BadHeaders>,
    /// Its body.
    pub payload: Bytes,
    /// Its sequence in the stream.
    pub sequence: u64,
    /// The sequence of this delivery in the consumer, which starts at 1 again when the consumer is recreated.
    pub consumer_sequence: u64,
    /// How often the consumer has delivered it, this time included.
    pub count: u64,
    /// When it was stored, cut to milliseconds.
    pub stored_at: Timestamp,
    /// How many messages the consumer has not delivered yet.
    pub waiting: u64,
    /// The subject on which the delivery is answered.
    ack: String,
}

/// The error of a message that no consumer delivered: it has no subject on which a delivery could be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no place to acknowledge a delivery", .0.escape_default())]
pub struct NotDelivered(String);

/// An answer to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Removes the message.
    Ack,
    /// Asks for another delivery after this time. The server may forget the delay when it is restarted or the consumer
    /// is recreated, so that a record must hold it too.
    Nak(Duration),
    /// Removes the message without an end of its job.
    Term,
    /// Extends the acknowledgement deadline by the consumer's `ack_wait`.
    InProgress,
}

impl Delivered {
    /// Reads a message that a pull request brought.
    ///
    /// # Errors
    ///
    /// The message is not a delivery: it is a status of the server, or somebody published it to the inbox.
    pub fn of(message: &Message) -> Result<Self, NotDelivered> {
        let reply = message.reply.as_deref().unwrap_or_default();
        let delivery = AckSubject::parse(reply).ok_or_else(|| NotDelivered(reply.to_owned()))?;
        let headers = match message.headers() {
            // A stored message has no status, since the server cuts it off. This one came from somebody else.
            Ok(headers) if headers.status().is_some() => Err(BadHeaders::Status),
            headers => headers,
        };
        Ok(Self {
            subject: message.subject.clone(),
            headers,
            payload: unpinned(&message.payload),
            sequence: delivery.sequence,
            consumer_sequence: delivery.consumer_sequence,
            count: delivery.count,
            stored_at: delivery.stored_at,
            waiting: delivery.waiting,
            ack: reply.to_owned(),
        })
    }

    /// Its headers; none where they cannot be read.
    #[must_use]
    pub fn readable_headers(&self) -> Option<&Headers> {
        self.headers.as_ref().ok()
    }

    /// Sends an answer for the delivery. The server does not confirm it: if it is lost, the message is delivered again.
    ///
    /// JetStream takes the answer of a host that was superseded as well, so that only the owner of the claim may
    /// answer: [R6](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r6).
    pub async fn answer(&self, connection: &Connection, answer: Answer) -> Result<(), SendError> {
        let body = match answer {
            Answer::Ack => Cow::Borrowed(ack::ACK),
            Answer::Nak(delay) => ack::nak_after(delay).into(),
            Answer::Term => ack::TERM.into(),
            Answer::InProgress => ack::IN_PROGRESS.into(),
        };
        // A sign of life or a nak that comes late would hold or give back what another host has by then. An answer that removes
        // the message may wait: the record says that nobody needs it any more.
        let wait = match answer {
            Answer::Ack | Answer::Term => ANSWER_TIMEOUT,
            Answer::Nak(_) | Answer::InProgress => PROMPTLY,
        };
        connection.send_answer(&self.ack, &body, wait).await
    }
}

/// The bytes without the buffer that they were read into, which holds other messages too and would stay for as long as the job
/// runs. Bytes that fill a buffer are not copied.
fn unpinned(bytes: &Bytes) -> Bytes {
    if bytes.len() < COPIED_BYTES { Bytes::copy_from_slice(bytes) } else { bytes.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(reply: &str) -> Result<Delivered, NotDelivered> {
        let block = Some(Bytes::from_static(b"NATS/1.0 404\r\n\r\n"));
        let subject = "s".to_owned();
        let reply = Some(reply.to_owned());
        Delivered::of(&Message { subject, reply, block, payload: Bytes::new() })
    }

    #[test]
    fn a_status_makes_no_delivery_unreadable_but_its_headers() {
        let read = delivered("$JS.ACK.S.C.2.30.4.1700000000123456789.5").unwrap();
        assert_eq!((read.count, read.sequence, read.consumer_sequence, read.waiting), (2, 30, 4, 5));
        assert_eq!(read.headers, Err(BadHeaders::Status));
        assert!(delivered("_INBOX.a").is_err());
        assert!(delivered("").is_err());
    }
}
