//! Listens to one subscription from its first message to its last.

use std::sync::Arc;

use nats_wire::{Message, Subscription};
use tokio::sync::watch;
use wasmhost_protocol::names::Names;

use super::message::Read;
use super::seen::Seen;

/// A subscription, with how its messages are read.
pub(super) struct Listener {
    pub(super) subscription: Subscription,
    pub(super) read: Read,
    pub(super) names: Names,
}

/// Notes every message until the recorder stops and nothing is in flight any more.
pub(super) async fn listen(mut listener: Listener, seen: Arc<Seen>, mut stop: watch::Receiver<bool>) {
    loop {
        // Both arms are safe to drop: a message that was not taken stays in the subscription, and a stop stays set.
        tokio::select! {
            message = listener.subscription.next() => match message {
                Some(message) => listener.note(&message, &seen),
                None => return,
            },
            () = stopped(&mut stop) => break,
        }
    }
    // The last revision of the span was read before the stop was set, and may still be on its way.
    listener.subscription.drain().await;
    while let Some(message) = listener.subscription.next().await {
        listener.note(&message, &seen);
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

#[cfg(test)]
mod tests {
    use wasmhost_nats::{ConnectConfig, Connection};
    use wasmhost_protocol::ids::JobKey;
    use wasmhost_testing::{Options, start_server};

    use super::*;
    use crate::record::message::subjects;

    #[tokio::test]
    async fn what_came_before_the_stop_is_noted_after_it() {
        /// More messages than a listener can take before it notices the stop, which is set from the beginning.
        const LINES: usize = 1000;
        let server = start_server(&Options::default());
        let connection = Connection::open(&ConnectConfig::new(server.url())).await.unwrap();
        let [_, (filter, read)] = subjects(&connection.names);
        let wire = connection.edge().await.unwrap();
        let subscription = wire.subscribe(filter, None, LINES).await;
        let subject = connection.names.logs_subject(&JobKey::parse("a.b.1").unwrap());
        for attempt in 0..LINES {
            let line = format!(
                r#"{{"at":"2026-01-31T12:00:00Z","attempt":{attempt},"fields":{{"effect":"start"}}}}"#
            );
            wire.publish(&subject, None, None, line.as_bytes()).await.unwrap();
        }
        // The server has sent all of them before this answer.
        wire.flush().await.unwrap();

        let seen = Arc::new(Seen::new());
        let stop = watch::Sender::new(true);
        let listener = Listener { subscription, read, names: connection.names.clone() };
        listen(listener, Arc::clone(&seen), stop.subscribe()).await;
        assert_eq!(seen.take(Vec::new()).entries.len(), LINES);
    }
}
