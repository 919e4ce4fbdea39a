//! Answering JetStream for a delivery, which happens only after the record says so
//! ([R7](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r7)).

use std::time::Duration;

use wasmhost_nats::{Answer, Connection, Delivered, limited};
use wasmhost_protocol::text::escape;

/// How a delivery is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// The job has ended: JetStream removes the message.
    Ack,
    /// JetStream delivers the message again after this time.
    Nak(Duration),
    /// The message can never become a job: JetStream removes it.
    Term,
    /// Nothing is sent: another host holds the job, or JetStream delivers the message again by itself.
    Silent,
}

impl Settlement {
    /// Gives the delivery back at once, for another host: this one closes.
    pub(crate) const GIVE_BACK: Self = Self::Nak(Duration::ZERO);

    /// Returns what is sent to JetStream; none for silence.
    pub(crate) fn answer(self) -> Option<Answer> {
        match self {
            Self::Ack => Some(Answer::Ack),
            Self::Nak(delay) => Some(Answer::Nak(delay)),
            Self::Term => Some(Answer::Term),
            Self::Silent => None,
        }
    }

    /// Returns whether JetStream removes the message.
    pub(crate) fn removes_message(self) -> bool {
        match self {
            Self::Ack | Self::Term => true,
            Self::Nak(_) | Self::Silent => false,
        }
    }
}

/// Settles a delivery. When the answer is lost, the message is delivered again and a host reads the record, so that a failure is
/// only logged.
pub(crate) async fn settle(connection: &Connection, message: &Delivered, settlement: Settlement) {
    let Some(answer) = settlement.answer() else { return };
    if let Err(error) = message.answer(connection, answer).await {
        limited!(warn, subject = %escape(&message.subject), %error, "could not settle a delivery; it comes again");
    }
}

/// Sends a sign of life, which extends the acknowledgement deadline of the delivery. Returns whether it was sent: JetStream
/// confirms none.
pub(crate) async fn in_progress(connection: &Connection, message: &Delivered) -> bool {
    message.answer(connection, Answer::InProgress).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_settlement_but_silence_is_an_answer() {
        let delay = Duration::from_secs(7);
        assert_eq!(Settlement::Ack.answer(), Some(Answer::Ack));
        assert_eq!(Settlement::Nak(delay).answer(), Some(Answer::Nak(delay)));
        assert_eq!(Settlement::GIVE_BACK.answer(), Some(Answer::Nak(Duration::ZERO)));
        assert_eq!(Settlement::Term.answer(), Some(Answer::Term));
        assert_eq!(Settlement::Silent.answer(), None);
    }

    #[test]
    fn only_ack_and_term_remove_the_message() {
        assert!(Settlement::Ack.removes_message() && Settlement::Term.removes_message());
        assert!(!Settlement::GIVE_BACK.removes_message() && !Settlement::Silent.removes_message());
    }
}
