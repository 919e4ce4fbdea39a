//! What a pull request asks for, and what it brings.

use std::time::Duration;

use wasmhost_protocol::ids::QueueName;

use crate::delivered::Delivered;

/// How many deliveries a request asks for, and how long it waits for them.
#[derive(Debug, Clone, Copy)]
pub struct PullBatch {
    /// The most deliveries that the request brings.
    pub size: usize,
    /// How long the request waits at the server; none: it ends at once where the queue has no more messages.
    pub expires: Option<Duration>,
    /// The most deliveries that any request with the same inbox asks for.
    pub largest: usize,
}

/// Why a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullEnd {
    /// The queue has no more messages at this moment.
    Empty,
    /// The request was called back.
    CalledBack,
    /// The server refused the request, or the connection broke. Wait before the next one.
    Failed,
}

/// What a request brings next.
#[derive(Debug)]
pub enum Pulled {
    /// It brings a delivery.
    Delivery(Box<Delivered>),
    /// It has ended, and brings nothing more.
    Ended(PullEnd),
}

/// Why a request was not sent.
#[derive(Debug, thiserror::Error)]
#[error("ask queue {queue} for deliveries: {text}")]
#[non_exhaustive]
pub struct PullError {
    /// The queue.
    pub queue: QueueName,
    /// What went wrong.
    pub text: String,
}
