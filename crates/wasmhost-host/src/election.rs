//! Whether this host is elected to scan for the deployment.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// Whether this host is elected.
#[derive(Debug, Default)]
pub(crate) struct Election {
    lapses_at: Mutex<Option<Instant>>,
}

impl Election {
    /// Returns whether this host scans.
    pub(crate) fn is_won(&self) -> bool {
        let lapses_at = *self.lapses_at.lock().unwrap_or_else(PoisonError::into_inner);
        lapses_at.is_some_and(|at| Instant::now() < at)
    }

    /// Takes note of until when the host is elected; none where it is not.
    pub(crate) fn set(&self, lapses_at: Option<Instant>) {
        *self.lapses_at.lock().unwrap_or_else(PoisonError::into_inner) = lapses_at;
    }
}
