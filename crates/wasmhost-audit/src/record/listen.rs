//! One subscription, from its first message to its last.

use std::sync::Arc;

use async_nats::{Message, Subscriber};
use futures::StreamExt;
use tokio::sync::watch;
use wasmhost_protocol::Names;

use super::message::Read;
use super::seen::Seen;

/// A subscription, and how its messages are read.
pub(super) struct Listener {
    pub(super) subscriber: Subscriber,
    pub(super) read: Read,
    pub(super) names: Names,
}

/// Notes what comes, until it is told to stop and nothing is in flight any more.
pub(super) async fn listen(mut listener: Listener, seen: Arc<Seen>, mut stop: watch::Receiver<bool>) {
    loop {
        // Both are safe to drop: a message that was not taken stays in the subscription, and a stop stays told.
        tokio::select! {
            message = listener.subscriber.next() => match message {
                Some(message) => listener.note(&message, &seen),
                None => return,
            },
            () = stopped(&mut stop) => break,
        }
    }
    if listener.subscriber.drain().await.is_ok() {
        while let Some(message) = listener.subscriber.next().await {
            listener.note(&message, &seen);
        }
    }
}

/// Completes when the recorder ends.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A recorder that was dropped has ended too.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Listener {
    fn note(&self, message: &Message, seen: &Seen) {
        if let Some(entry) = (self.read)(&self.names, message) {
            seen.note(entry);
        }
    }
}
