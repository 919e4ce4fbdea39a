//! Giving queues their consumers back: one that was deleted or changed would leave messages undelivered for ever
//! ([Queues](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#queues)).

use wasmhost_nats::{Difference, LayoutError, restore_consumer};

use crate::host::Host;
use crate::queues::Queue;

/// The looks at the consumers of a host's queues.
pub(super) struct Consumers<'a> {
    host: &'a Host,
    /// The index of the queue whose turn it is next.
    next: usize,
}

impl<'a> Consumers<'a> {
    pub(super) fn new(host: &'a Host) -> Self {
        Self { host, next: 0 }
    }

    /// Compares consumers with the wanted settings, and restores those that differ: those of all queues if this host is elected,
    /// else those of which a request failed since the last look, and one more in turn. With as many queues as hosts, each host
    /// would otherwise ask for all of them.
    pub(super) async fn check(&mut self, all: bool) {
        let queues = &self.host.queues;
        let turn = self.next;
        self.next = (turn + 1) % queues.len().max(1);
        for (index, queue) in queues.iter().enumerate() {
            // The suspicion is taken in any case: it was for this look.
            if all | (index == turn) | queue.take_suspicion() {
                check(self.host, queue).await;
            }
        }
    }
}

async fn check(host: &Host, queue: &Queue) {
    match queue.inspect(&host.storage.connection).await {
        Ok(differences) if differences.is_empty() => {}
        // An operator changes it host by host. A consumer that is created again would deliver again what runs on other hosts.
        Ok(differences) if differences.iter().all(Difference::is_ack_wait) => {
            let found = &differences[0].found;
            tracing::error!(queue = %queue.name, found, "the queue's consumer has another ack_wait: start this host with it");
        }
        Ok(differences) => restore(host, queue, &LayoutError::of_settings(differences)).await,
        Err(error @ LayoutError::Problems(_)) => restore(host, queue, &error).await,
        Err(error) => {
            tracing::warn!(queue = %queue.name, %error, "could not check the queue's consumer");
        }
    }
}

/// Deletes a consumer and creates it again. What nobody acknowledged is delivered again, which the protocol bears.
async fn restore(host: &Host, queue: &Queue, error: &LayoutError) {
    tracing::error!(queue = %queue.name, %error, "the queue's consumer was changed; creating it again");
    match restore_consumer(&host.storage.connection, &queue.name, host.config.ack_wait).await {
        Ok(consumer) => queue.update(&consumer),
        Err(error) => {
            tracing::error!(queue = %queue.name, %error, "could not create the queue's consumer again");
        }
    }
}
