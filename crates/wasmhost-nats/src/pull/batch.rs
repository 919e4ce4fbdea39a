//! What is asked for, and what comes.

use std::time::Duration;

use wasmhost_protocol::ids::QueueName;

use crate::delivered::Delivered;

/// How many deliveries are asked for, and whether the request waits for them.
#[derive(Debug, Clone, Copy)]
pub struct PullBatch {
    /// The most deliveries that it brings.
    pub size: usize,
    /// How long the request stays at the server; none: it ends at once when there is nothing.
    pub expires: Option<Duration>,
    /// The most deliveries that any request over this inbox asks for.
    pub largest: usize,
}

/// Why a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullEnd {
    /// The queue has no more at the moment.
    Empty,
    /// It was called back.
    CalledBack,
    /// The server refused it, or the connection broke: not again at once.
    Failed,
}

/// What a request brings next.
#[derive(Debug)]
pub enum Pulled {
    /// A message.
    Delivery(Box<Delivered>),
    /// Nothing any more.
    Ended(PullEnd),
}

/// The request could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("ask queue {queue} for deliveries: {text}")]
pub struct PullError {
    /// The queue.
    pub queue: QueueName,
    /// What went wrong.
    pub text: String,
}
