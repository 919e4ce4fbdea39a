//! When the bucket of records was made. One that was made anew has forgotten the jobs whose messages still wait: those are
//! run, and not taken for jobs that ended long ago.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wasmhost_nats::{ReadError, Records, limited};
use wasmhost_protocol::timestamp::Timestamp;

/// What the server said is believed for so long: a backlog without records costs one request a second.
const BELIEVED: Duration = Duration::from_secs(1);

/// What this host knows of the bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct StatesBucket {
    records: Records,
    name: String,
    /// The host takes no more work.
    closing: CancellationToken,
    created_ms: Arc<AtomicI64>,
    asked_at: Arc<watch::Sender<Option<Instant>>>,
}

impl StatesBucket {
    pub(crate) fn new(records: Records, name: String, closing: CancellationToken) -> Self {
        let asked_at = Arc::new(watch::Sender::new(None));
        Self { records, name, closing, created_ms: Arc::default(), asked_at }
    }

    /// When the bucket was made, as far as this host knows.
    pub(crate) fn created(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.created_ms.load(Ordering::Relaxed))
    }

    /// Asks when the bucket was made, unless that was asked a moment ago, until there is an answer. False: the host closes.
    pub(crate) async fn refresh(&self) -> bool {
        loop {
            if self.asked_at.borrow().is_some_and(|at| at.elapsed() < BELIEVED) {
                return true;
            }
            match self.ask().await {
                Ok(()) => return true,
                Err(error) => limited!(warn, %error, "cannot inspect the bucket of records; trying again"),
            }
            tokio::select! {
                () = tokio::time::sleep(BELIEVED) => {}
                () = self.closing.cancelled() => return false,
            }
        }
    }

    /// Asks once.
    pub(crate) async fn ask(&self) -> Result<(), ReadError> {
        let created = self.records.created().await?.unix_ms();
        let before = self.created_ms.swap(created, Ordering::Relaxed);
        self.asked_at.send_replace(Some(Instant::now()));
        if before != 0 && before != created {
            tracing::error!(
                bucket = self.name,
                "the bucket of records was made anew: jobs that wait run as if new, what had ended is forgotten"
            );
        }
        Ok(())
    }
}
