//! The queues that a host serves, and when their consumers were created. Deliveries are compared by that time first, and a
//! delivery does not say which consumer it comes from
//! ([Consumers](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#consumers)).

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use wasmhost_nats::{Connection, Difference, LayoutError, QueueConsumer, inspect_consumer};
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::timestamp::Timestamp;

/// A queue that the host serves.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) name: QueueName,
    /// The queue's share of the slots while several queues have jobs waiting.
    pub(crate) weight: u32,
    ack_wait: Duration,
    /// When the queue's consumer was created, in Unix milliseconds.
    created_ms: AtomicI64,
    /// The highest delivery number that the consumer has used. A consumer that is recreated counts from 1 again.
    newest_delivery: AtomicU64,
    /// Whether a request at the consumer failed since the reconciler looked at it.
    is_suspicious: AtomicBool,
}

impl Queue {
    /// Creates the entry of a queue whose consumer was just inspected.
    pub(crate) fn new(name: QueueName, weight: u32, ack_wait: Duration, consumer: &QueueConsumer) -> Self {
        let created_ms = AtomicI64::new(consumer.created.unix_ms());
        Self {
            name,
            weight,
            ack_wait,
            created_ms,
            newest_delivery: AtomicU64::new(0),
            is_suspicious: AtomicBool::new(false),
        }
    }

    /// Returns when the queue's consumer was created, according to the last inspection.
    pub(crate) fn consumer_created(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.created_ms.load(Ordering::Relaxed))
    }

    /// Compares the consumer with the wanted settings, creates it where it is missing, and remembers when it was created.
    /// Returns how its settings differ.
    pub(crate) async fn inspect(&self, connection: &Connection) -> Result<Vec<Difference>, LayoutError> {
        let (consumer, differences) = inspect_consumer(connection, &self.name, self.ack_wait).await?;
        self.update(&consumer);
        Ok(differences)
    }

    /// Remembers what an inspection of the consumer found.
    pub(crate) fn update(&self, consumer: &QueueConsumer) {
        let created_ms = consumer.created.unix_ms();
        if self.created_ms.swap(created_ms, Ordering::Relaxed) != created_ms {
            tracing::warn!(queue = %self.name, "the queue's consumer was created again");
            self.newest_delivery.store(0, Ordering::Relaxed);
        }
    }

    /// Takes note of a request at the consumer that failed.
    pub(crate) fn suspect(&self) {
        self.is_suspicious.store(true, Ordering::Relaxed);
    }

    /// Returns whether a request at the consumer failed since the last call.
    pub(crate) fn take_suspicion(&self) -> bool {
        self.is_suspicious.swap(false, Ordering::Relaxed)
    }

    /// Takes note of the number of a delivery. Returns whether the consumer may have been created again, because the number
    /// does not rise.
    pub(crate) fn note_sequence(&self, consumer_sequence: u64) -> bool {
        self.newest_delivery.fetch_max(consumer_sequence, Ordering::Relaxed) >= consumer_sequence
    }
}
