//! A message as a consumer delivers it, and the answers that JetStream takes for it.

use std::time::Duration;

use bytes::Bytes;
use nats_wire::{BadHeaders, Headers, Message};
use wasmhost_protocol::names::Names;
use wasmhost_protocol::timestamp::Timestamp;

use crate::connect::Connection;

/// A message as a consumer delivered it.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// Its subject.
    pub subject: String,
    /// Its headers, or why they cannot be read.
    pub headers: Result<Headers, BadHeaders>,
    /// Its body.
    pub payload: Bytes,
    /// Its number in the stream.
    pub sequence: u64,
    /// The number of this delivery by the consumer; starts at 1 again in one that was made anew.
    pub consumer_sequence: u64,
    /// How often the consumer has delivered it, this time included.
    pub count: u64,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// How many messages wait behind it in the consumer.
    pub waiting: u64,
    /// Where it is answered.
    ack: String,
}

/// A message that no consumer delivered: there is nothing to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no place to acknowledge a delivery", .0.escape_default())]
pub struct NotDelivered(String);

/// How a delivery is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The message is removed.
    Ack,
    /// It is delivered again after this time.
    Nak(Duration),
    /// It is removed, and never delivered again.
    Term,
    /// Whoever has it is still at it.
    InProgress,
}

impl Delivered {
    /// Reads what came.
    pub fn of(message: &Message) -> Result<Self, NotDelivered> {
        let reply = message.reply.as_deref().unwrap_or_default();
        let place = AckSubject::parse(reply).ok_or_else(|| NotDelivered(reply.to_owned()))?;
        let headers = match message.headers() {
            // Only the server's own answers have a status, and those are no deliveries.
            Ok(headers) if headers.status().is_some() => Err(BadHeaders::Status),
            headers => headers,
        };
        Ok(Self {
            subject: message.subject.clone(),
            headers,
            payload: message.payload.clone(),
            sequence: place.sequence,
            consumer_sequence: place.consumer_sequence,
            count: place.count,
            stored_at: place.stored_at,
            waiting: place.waiting,
            ack: reply.to_owned(),
        })
    }

    /// Its headers, where they can be read.
    #[must_use]
    pub fn readable_headers(&self) -> Option<&Headers> {
        self.headers.as_ref().ok()
    }

    /// Answers. It is sent without an answer of its own: a lost one costs another delivery.
    pub async fn answer(
        &self,
        connection: &Connection,
        answer: Answer,
    ) -> Result<(), async_nats::PublishError> {
        let words = match answer {
            Answer::Ack => Bytes::from_static(b"+ACK"),
            Answer::Nak(delay) if delay.is_zero() => Bytes::from_static(b"-NAK"),
            Answer::Nak(delay) => format!("-NAK {{\"delay\":{}}}", delay.as_nanos()).into(),
            Answer::Term => Bytes::from_static(b"+TERM"),
            Answer::InProgress => Bytes::from_static(b"+WPI"),
        };
        connection.client.publish(self.ack.clone(), words).await
    }
}

/// What the subject says that a delivery is answered on.
struct AckSubject {
    count: u64,
    sequence: u64,
    consumer_sequence: u64,
    stored_at: Timestamp,
    waiting: u64,
}

impl AckSubject {
    /// `$JS.ACK.<stream>.<consumer>.<count>.<sequence>.<consumer sequence>.<Unix ns>.<waiting>`, or the same with a domain and
    /// an account before the stream, and perhaps more tokens behind.
    fn parse(reply: &str) -> Option<Self> {
        let rest = reply
            .strip_prefix(Names::ACKS)
            .filter(|rest| rest.bytes().all(|byte| byte.is_ascii_graphic()))?;
        let tokens: Vec<&str> = rest.split('.').collect();
        let numbers = match tokens.len() {
            7 => tokens.get(2..7)?,
            9.. => tokens.get(4..9)?,
            _ => return None,
        };
        let number = |at: usize| numbers[at].parse::<u64>().ok();
        let nanos: i64 = numbers[3].parse().ok()?;
        Some(Self {
            count: number(0)?,
            sequence: number(1)?,
            consumer_sequence: number(2)?,
            stored_at: Timestamp::from_unix_ms(nanos.div_euclid(1_000_000)),
            waiting: number(4)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(reply: &str) -> Result<Delivered, NotDelivered> {
        let block = Some(Bytes::from_static(b"NATS/1.0 404\r\n\r\n"));
        let (subject, reply) = ("s".to_owned(), Some(reply.to_owned()));
        Delivered::of(&Message { subject, reply, block, payload: Bytes::new() })
    }

    #[test]
    fn both_forms_of_an_acknowledgement_are_read() {
        for reply in [
            "$JS.ACK.S.C.2.30.4.1700000000123456789.5",
            "$JS.ACK._.hash.S.C.2.30.4.1700000000123456789.5",
            "$JS.ACK.hub.hash.S.C.2.30.4.1700000000123456789.5.random",
        ] {
            let read = delivered(reply).unwrap();
            assert_eq!(
                (read.count, read.sequence, read.consumer_sequence, read.waiting),
                (2, 30, 4, 5),
                "{reply}"
            );
            assert_eq!(read.stored_at.unix_ms(), 1_700_000_000_123);
            assert_eq!(
                read.headers,
                Err(BadHeaders::Status),
                "a status makes no answer of the server's of it"
            );
        }
        for reply in ["", "_INBOX.a", "$JS.ACK.S.C.2.30.4.1.x", "$JS.ACK.S.C.1.1.1.1", "$KV.b.k"] {
            assert!(delivered(reply).is_err(), "{reply}");
        }
    }
}
