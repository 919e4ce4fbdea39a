//! What handles, subscriptions and requests ask of the connection's task.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::message::Message;

/// Something that a handle, a subscription or a request asks of the connection's task.
#[derive(Debug)]
pub(crate) enum Command {
    /// Subscribes, now and after each reconnect.
    Subscribe {
        sid: u64,
        subject: String,
        queue: Option<String>,
        messages: mpsc::Sender<Message>,
        missed: Arc<AtomicU64>,
    },
    /// Ends a subscription at once.
    Unsubscribe { sid: u64 },
    /// Ends a subscription when everything has been delivered that the server sent for it.
    Drain { sid: u64 },
    /// Sends a message.
    Send(Bytes),
    /// Sends a request, whose answers go to `answers`.
    Ask { number: u64, answers: mpsc::Sender<Message>, bytes: Bytes },
    /// Sends a request that has one answer.
    Request { number: u64, answer: oneshot::Sender<Message>, bytes: Bytes },
    /// Expects one message, over all reconnects.
    Expect { number: u64, message: oneshot::Sender<Message> },
    /// Drops all further answers to a request, or a message that was expected.
    Forget { number: u64 },
    /// Completes when the server has handled everything that was sent before.
    Flush(oneshot::Sender<()>),
}
