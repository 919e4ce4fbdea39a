//! A subscription: what comes on a subject, as far as there is room for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::link::Command;
use crate::message::Message;

/// A subscription, until dropped. It outlives the connection: the next one has it too.
#[derive(Debug)]
pub struct Subscription {
    pub(crate) sid: u64,
    pub(crate) messages: mpsc::Receiver<Message>,
    pub(crate) missed: Arc<AtomicU64>,
    pub(crate) commands: mpsc::Sender<Command>,
}

impl Subscription {
    /// The next message; none once it was drained, or when the client ends. Safe to drop.
    pub async fn next(&mut self) -> Option<Message> {
        self.messages.recv().await
    }

    /// How many messages wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.messages.len()
    }

    /// How many messages found no room so far.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Asks for no more. What the server has sent by the time it hears of that still comes, and then the end.
    pub async fn drain(&self) {
        // A client that has ended has nothing more to come.
        drop(self.commands.send(Command::Drain { sid: self.sid }).await);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // Without room for the word the next message finds nobody, and ends the subscription.
        drop(self.commands.try_send(Command::Unsubscribe { sid: self.sid }));
    }
}
