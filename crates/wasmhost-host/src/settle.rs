//! Answering JetStream for a delivery. Only ever after the record says so (R7).

use std::time::Duration;

use wasmhost_nats::{Answer, Connection, Delivered, limited};

/// How a delivery is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settle {
    /// The job has ended: remove the message.
    Ack,
    /// Deliver it again after this time.
    Nak(Duration),
    /// Remove it: it can never be a job.
    Term,
    /// Say nothing: another holds the job, or JetStream delivers it again by itself.
    Silent,
}

/// Answers. A lost answer costs a redelivery that reads the record, so a failure is only logged.
pub(crate) async fn settle(connection: &Connection, message: &Delivered, how: Settle) {
    let answer = match how {
        Settle::Ack => Answer::Ack,
        Settle::Nak(delay) => Answer::Nak(delay),
        Settle::Term => Answer::Term,
        Settle::Silent => return,
    };
    if let Err(error) = message.answer(connection, answer).await {
        limited!(warn, subject = %wasmhost_protocol::text::escape(&message.subject), %error, "could not settle a delivery; it comes again");
    }
}

/// Tells JetStream that the attempt goes on.
pub(crate) async fn in_progress(connection: &Connection, message: &Delivered) -> bool {
    message.answer(connection, Answer::InProgress).await.is_ok()
}
