//! The queues that a host serves, and what it knows of their consumers: every look at one is remembered here, whoever
//! took it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use wasmhost_nats::{Connection, Difference, LayoutError, QueueConsumer, inspect_consumer};
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::timestamp::Timestamp;

/// A queue that the host serves.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) name: QueueName,
    /// Its share of the slots beside other queues that have jobs waiting.
    pub(crate) weight: u32,
    ack_wait: Duration,
    /// When its consumer was created, in Unix milliseconds: deliveries are compared by it first.
    created: AtomicI64,
    /// The highest number of a delivery: a consumer that was made anew counts from 1 again.
    delivered: AtomicU64,
}

impl Queue {
    pub(crate) fn new(name: QueueName, weight: u32, ack_wait: Duration, consumer: &QueueConsumer) -> Self {
        let created = AtomicI64::new(consumer.created.unix_ms());
        Self { name, weight, ack_wait, created, delivered: AtomicU64::new(0) }
    }

    /// When its consumer was created, as far as this host knows.
    pub(crate) fn created(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.created.load(Ordering::Relaxed))
    }

    /// Compares the consumer with what is wanted, makes it where it is missing, and remembers when it was made. The result is
    /// how it differs.
    pub(crate) async fn inspect(&self, connection: &Connection) -> Result<Vec<Difference>, LayoutError> {
        let (consumer, differences) = inspect_consumer(connection, &self.name, self.ack_wait).await?;
        self.found(&consumer);
        Ok(differences)
    }

    /// What somebody found who looked.
    pub(crate) fn found(&self, consumer: &QueueConsumer) {
        let created = consumer.created.unix_ms();
        if self.created.swap(created, Ordering::Relaxed) != created {
            tracing::warn!(queue = %self.name, "the queue's consumer was made anew");
            self.delivered.store(0, Ordering::Relaxed);
        }
    }

    /// Whether a delivery with this number by its consumer may come from one that was made anew.
    pub(crate) fn counts_anew(&self, consumer_sequence: u64) -> bool {
        self.delivered.fetch_max(consumer_sequence, Ordering::Relaxed) >= consumer_sequence
    }
}
