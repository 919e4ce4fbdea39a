//! How a host steers a running attempt: ask it to stop, stop it, and keep its lease. Nothing here waits for the guest.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// Steers one attempt. All of it may be called from any thread, at any time, more than once.
#[derive(Debug, Default)]
pub struct Control {
    cancelled: AtomicBool,
    stopped: AtomicBool,
    lease_end: Mutex<Option<Instant>>,
    changed: Notify,
}

impl Control {
    /// Of a guest that may run until then; none: for ever.
    pub(crate) fn with_lease(end: Option<Instant>) -> Self {
        Self { lease_end: Mutex::new(end), ..Self::default() }
    }

    /// Asks the task to stop: it sees `cancelled`, and ends as it likes.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Ends the attempt within milliseconds, whatever the guest does.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// The guest may run until then; afterwards it stands still until this is called again.
    pub fn renew(&self, until: Instant) {
        *self.lease_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        self.changed.notify_waiters();
    }

    /// Whether the task was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    pub(crate) fn is_frozen(&self) -> bool {
        let lease_end = *self.lease_end.lock().unwrap_or_else(PoisonError::into_inner);
        lease_end.is_some_and(|end| Instant::now() > end)
    }

    pub(crate) async fn cancelled(&self) {
        self.until(Self::is_cancelled).await;
    }

    pub(crate) async fn stopped(&self) {
        self.until(|control| control.stopped.load(Ordering::Acquire)).await;
    }

    pub(crate) async fn thawed(&self) {
        self.until(|control| !control.is_frozen()).await;
    }

    async fn until(&self, reached: impl Fn(&Self) -> bool) {
        while !reached(self) {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if reached(self) {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn an_expired_lease_freezes_until_it_is_renewed() {
        let control = Control::default();
        assert!(control.thawed().now_or_never().is_some());
        control.renew(Instant::now() - Duration::from_millis(1));
        let mut thawed = Box::pin(control.thawed());
        assert!(thawed.as_mut().now_or_never().is_none());
        control.renew(Instant::now() + Duration::from_secs(60));
        thawed.await;
    }
}
