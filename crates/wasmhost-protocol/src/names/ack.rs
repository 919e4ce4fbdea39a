//! Answers to deliveries: the subject that an answer is published to, which also describes the delivery, and the
//! bodies that JetStream accepts.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// The body that removes the message.
pub const ACK: &str = "+ACK";
/// The body that asks for another delivery at once.
pub const NAK: &str = "-NAK";
/// The body that removes the message and says that it was not processed.
pub const TERM: &str = "+TERM";
/// The body that extends the acknowledgement deadline by `ack_wait`.
pub const IN_PROGRESS: &str = "+WPI";

/// The beginning of every such subject.
const PREFIX: &str = "$JS.ACK.";

/// Returns the body that asks for another delivery after `delay`.
#[must_use]
pub fn nak_after(delay: Duration) -> String {
    if delay.is_zero() {
        return NAK.to_owned();
    }
    format!("{NAK} {{\"delay\":{}}}", delay.as_nanos())
}

/// An `AckSubject` is what the subject that a delivery is answered on says about the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckSubject {
    /// The number of deliveries of the message by the consumer, this one included.
    pub count: u64,
    /// The message's sequence in the stream.
    pub sequence: u64,
    /// The sequence of this delivery in the consumer.
    pub consumer_sequence: u64,
    /// When the message was stored, cut to milliseconds.
    pub stored_at: Timestamp,
    /// The number of messages that the consumer has not delivered yet.
    pub waiting: u64,
}

impl AckSubject {
    /// Reads the subject. Returns `None` where it is not one that a delivery is answered on.
    ///
    /// It is `$JS.ACK.<stream>.<consumer>.<count>.<sequence>.<consumer sequence>.<Unix ns>.<waiting>`, or the same with
    /// a domain and the hash of an account before the stream, and perhaps more tokens at the end.
    #[must_use]
    pub fn parse(reply: &str) -> Option<Self> {
        // Anyone who can publish to the inbox of a pull request chooses the reply, so that only subjects that can be
        // published to may pass.
        let rest =
            reply.strip_prefix(PREFIX).filter(|rest| rest.bytes().all(|byte| byte.is_ascii_graphic()))?;
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

    #[test]
    fn both_forms_of_an_acknowledgement_are_read() {
        for reply in [
            "$JS.ACK.S.C.2.30.4.1700000000123456789.5",
            "$JS.ACK._.hash.S.C.2.30.4.1700000000123456789.5",
            "$JS.ACK.hub.hash.S.C.2.30.4.1700000000123456789.5.random",
        ] {
            let read = AckSubject::parse(reply).unwrap();
            assert_eq!(
                (read.count, read.sequence, read.consumer_sequence, read.waiting),
                (2, 30, 4, 5),
                "{reply}"
            );
            assert_eq!(read.stored_at.unix_ms(), 1_700_000_000_123);
        }
        for reply in ["", "_INBOX.a", "$JS.ACK.S.C.2.30.4.1.x", "$JS.ACK.S.C.1.1.1.1", "$KV.b.k"] {
            assert!(AckSubject::parse(reply).is_none(), "{reply}");
        }
    }

    #[test]
    fn a_nak_has_its_delay_in_nanoseconds() {
        assert_eq!(nak_after(Duration::ZERO), "-NAK");
        assert_eq!(nak_after(Duration::from_millis(1500)), r#"-NAK {"delay":1500000000}"#);
    }
}
