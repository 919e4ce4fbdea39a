//! When the states bucket was created. A bucket that was recreated has forgotten the jobs whose messages still wait: those are
//! run, and not taken for jobs that ended long ago
//! ([R14](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r14)).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wasmhost_nats::{ReadError, Records, limited};
use wasmhost_protocol::timestamp::Timestamp;

/// How long the server's answer stays valid. A backlog of messages without records costs one request in this time, not one
/// for each message.
const ANSWER_VALID_FOR: Duration = Duration::from_secs(1);

/// What this host knows of the states bucket. It is cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct StatesBucket {
    records: Records,
    name: String,
    /// Cancelled when the host takes no more work.
    draining: CancellationToken,
    created_ms: Arc<AtomicI64>,
    inspected_at: Arc<watch::Sender<Option<Instant>>>,
}

impl StatesBucket {
    /// Creates the view of a bucket that was not inspected yet.
    pub(crate) fn new(records: Records, name: String, draining: CancellationToken) -> Self {
        let inspected_at = Arc::new(watch::Sender::new(None));
        Self { records, name, draining, created_ms: Arc::default(), inspected_at }
    }

    /// Returns when the bucket was created, according to the last inspection.
    pub(crate) fn created(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.created_ms.load(Ordering::Relaxed))
    }

    /// Inspects the bucket, unless that was done a moment ago, and tries until the server answers. Returns false if the host
    /// closes first.
    pub(crate) async fn refresh(&self) -> bool {
        loop {
            if self.inspected_at.borrow().is_some_and(|at| at.elapsed() < ANSWER_VALID_FOR) {
                return true;
            }
            match self.inspect().await {
                Ok(()) => return true,
                Err(error) => limited!(warn, %error, "cannot inspect the bucket of records; trying again"),
            }
            tokio::select! {
                () = tokio::time::sleep(ANSWER_VALID_FOR) => {}
                () = self.draining.cancelled() => return false,
            }
        }
    }

    /// Asks the server once when the bucket was created.
    pub(crate) async fn inspect(&self) -> Result<(), ReadError> {
        let created_ms = self.records.created().await?.unix_ms();
        let known_ms = self.created_ms.swap(created_ms, Ordering::Relaxed);
        self.inspected_at.send_replace(Some(Instant::now()));
        // Zero is the value before the first inspection.
        if known_ms != 0 && known_ms != created_ms {
            tracing::error!(
                bucket = self.name,
                "the bucket of records was recreated: jobs that wait run as if they were new, and the records of ended jobs are lost"
            );
        }
        Ok(())
    }
}
