//! How a host controls a running attempt: asks the task to stop, ends the attempt, and renews its lease. Nothing here
//! waits for the guest.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// Controls one attempt. Its methods may be called from any thread, at any time, and more than once.
#[derive(Debug, Default)]
pub struct Control {
    cancelled: AtomicBool,
    stopped: AtomicBool,
    lease_end: Mutex<Option<Instant>>,
    changed: Notify,
}

impl Control {
    /// The control of a guest that may run until `lease_end`, or for ever where there is none.
    pub(crate) fn with_lease(lease_end: Option<Instant>) -> Self {
        Self { lease_end: Mutex::new(lease_end), ..Self::default() }
    }

    /// Asks the task to stop. The task sees that it is cancelled, and ends as it likes.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Ends the attempt within milliseconds, whatever the guest is doing.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Lets the guest run until `lease_end`. From then on it stands still, until this is called again.
    pub fn renew(&self, lease_end: Instant) {
        *self.lease_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease_end);
        self.changed.notify_waiters();
    }

    /// Whether the task was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Whether the lease has ended, so that the guest has to stand still.
    pub(crate) fn is_frozen(&self) -> bool {
        let lease_end = *self.lease_end.lock().unwrap_or_else(PoisonError::into_inner);
        lease_end.is_some_and(|end| Instant::now() > end)
    }

    /// Returns when the task was asked to stop.
    pub(crate) async fn cancelled(&self) {
        self.wait_until(Self::is_cancelled).await;
    }

    /// Returns when the attempt has to end.
    pub(crate) async fn stopped(&self) {
        self.wait_until(|control| control.stopped.load(Ordering::Acquire)).await;
    }

    /// Returns when the guest may run: at once, or when its lease was renewed.
    pub(crate) async fn thawed(&self) {
        self.wait_until(|control| !control.is_frozen()).await;
    }

    async fn wait_until(&self, condition: impl Fn(&Self) -> bool) {
        while !condition(self) {
            let mut changed = pin!(self.changed.notified());
            // From here on no change is missed, so that the condition is looked at once more before the wait.
            changed.as_mut().enable();
            if condition(self) {
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
