//! Answering JetStream for a delivery. Only ever after the record says so (R7).

use std::time::Duration;

use async_nats::jetstream::{AckKind, Message};

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
pub(crate) async fn settle(message: &Message, how: Settle) {
    let kind = match how {
        Settle::Ack => AckKind::Ack,
        Settle::Nak(delay) => AckKind::Nak(Some(delay)),
        Settle::Term => AckKind::Term,
        Settle::Silent => return,
    };
    if let Err(error) = message.ack_with(kind).await {
        tracing::warn!(subject = %message.subject, %error, "could not settle a delivery; it comes again");
    }
}

/// Tells JetStream that the attempt goes on.
pub(crate) async fn in_progress(message: &Message) -> bool {
    message.ack_with(AckKind::Progress).await.is_ok()
}
