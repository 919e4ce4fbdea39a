//! When the bucket of records was made. One that was made anew has forgotten the jobs whose messages still wait: they are
//! run, not taken for jobs that ended long ago.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use wasmhost_nats::{ReadError, limited};
use wasmhost_protocol::timestamp::Timestamp;

use crate::host::Host;

/// A look is good for so long: a backlog without records costs one look a second.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// What this host knows of the bucket's making.
#[derive(Debug)]
pub(crate) struct Bucket {
    created_ms: AtomicI64,
    looked_at: watch::Sender<Option<Instant>>,
}

impl Bucket {
    pub(crate) fn new() -> Self {
        Self { created_ms: AtomicI64::new(0), looked_at: watch::Sender::new(None) }
    }

    /// When it was made, as far as is known.
    pub(crate) fn created(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.created_ms.load(Ordering::Relaxed))
    }

    /// Finds out when it was made, unless that was found out a moment ago; until there is an answer. False: the host closes.
    pub(crate) async fn look(&self, host: &Host) -> bool {
        loop {
            if self.looked_at.borrow().is_some_and(|at| at.elapsed() < GOOD_FOR) {
                return true;
            }
            match self.ask(host).await {
                Ok(()) => return true,
                Err(error) => limited!(warn, %error, "cannot look at the bucket of records; trying again"),
            }
            tokio::select! {
                () = tokio::time::sleep(GOOD_FOR) => {}
                () = host.closing.cancelled() => return false,
            }
        }
    }

    /// One look.
    pub(crate) async fn ask(&self, host: &Host) -> Result<(), ReadError> {
        let created = host.records.created().await?.unix_ms();
        let before = self.created_ms.swap(created, Ordering::Relaxed);
        self.looked_at.send_replace(Some(Instant::now()));
        if before != 0 && before != created {
            let bucket = host.connection.names.states_bucket();
            tracing::error!(
                bucket,
                "the bucket of records was made anew: jobs that wait run as if new, what had ended is forgotten"
            );
        }
        Ok(())
    }
}
