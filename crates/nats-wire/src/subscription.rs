//! Subscriptions: the messages of a subject, as far as there is room for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::command::Command;
use crate::message::Message;

/// A subscription, which ends when it is dropped. It outlives the connection, because the client subscribes again after each
/// reconnect; messages that are published meanwhile are lost.
#[derive(Debug)]
pub struct Subscription {
    pub(crate) sid: u64,
    pub(crate) messages: mpsc::Receiver<Message>,
    pub(crate) missed: Arc<AtomicU64>,
    pub(crate) commands: mpsc::Sender<Command>,
}

impl Subscription {
    /// Waits for the next message; none when the subscription was drained, or the client ended. The future is safe to drop.
    pub async fn next(&mut self) -> Option<Message> {
        self.messages.recv().await
    }

    /// How many messages have been received and not taken yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.messages.len()
    }

    /// How many messages have been dropped so far for want of room.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Unsubscribes. Messages that the server has sent by then are still delivered, and then the subscription ends.
    pub async fn drain(&self) {
        // A client that has ended delivers nothing more anyway.
        drop(self.commands.send(Command::Drain { sid: self.sid }).await);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // If the channel is full, the next message ends the subscription, because nobody takes it.
        drop(self.commands.try_send(Command::Unsubscribe { sid: self.sid }));
    }
}
