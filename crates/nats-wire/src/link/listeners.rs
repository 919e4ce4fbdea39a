//! The subscriptions of a client, and the messages that they had no room for.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::config::Notice;
use crate::message::Message;

/// A subscription, as the connection's task knows it.
pub(super) struct Listener {
    pub(super) subject: String,
    pub(super) queue: Option<String>,
    pub(super) messages: mpsc::Sender<Message>,
    pub(super) missed: Arc<AtomicU64>,
    /// How many of the missed messages a notice has counted already.
    reported: u64,
}

/// All subscriptions by their ids.
#[derive(Default)]
pub(super) struct Listeners(HashMap<u64, Listener>);

impl Listener {
    pub(super) fn new(
        subject: String,
        queue: Option<String>,
        messages: mpsc::Sender<Message>,
        missed: Arc<AtomicU64>,
    ) -> Self {
        Self { subject, queue, messages, missed, reported: 0 }
    }

    /// The line that subscribes.
    fn line(&self, sid: u64) -> String {
        match &self.queue {
            Some(queue) => format!("SUB {} {queue} {sid}\r\n", self.subject),
            None => format!("SUB {} {sid}\r\n", self.subject),
        }
    }

    /// A notice of the messages that were dropped since the last one; none where none were.
    fn dropped(&mut self) -> Option<Notice> {
        let missed = self.missed.load(Ordering::Relaxed);
        let count = missed.checked_sub(self.reported).filter(|count| *count > 0)?;
        self.reported = missed;
        Some(Notice::Dropped { subject: self.subject.clone(), count })
    }
}

impl Listeners {
    /// Adds a subscription, and returns the line that subscribes.
    pub(super) fn add(&mut self, sid: u64, listener: Listener) -> String {
        let line = listener.line(sid);
        self.0.insert(sid, listener);
        line
    }

    /// Removes a subscription. It returns whether there was one.
    pub(super) fn remove(&mut self, sid: u64) -> bool {
        self.0.remove(&sid).is_some()
    }

    /// The lines that subscribe to everything, for a new connection.
    pub(super) fn lines(&self) -> String {
        self.0.iter().map(|(sid, listener)| listener.line(*sid)).collect()
    }

    /// Passes a message to its subscription, and counts it where there is no room. It returns false where nobody takes the
    /// messages of the subscription any more.
    pub(super) fn deliver(&self, sid: u64, message: Message) -> bool {
        // The server sent it before it read the `UNSUB`, which is not sent twice.
        let Some(listener) = self.0.get(&sid) else { return true };
        // Room is never waited for: one subscription that nobody reads would hold up all others, and the pings.
        match listener.messages.try_send(message) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                listener.missed.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }

    /// A notice for each subscription that had to drop messages since the last time.
    pub(super) fn dropped(&mut self) -> Vec<Notice> {
        self.0.values_mut().filter_map(Listener::dropped).collect()
    }
}
