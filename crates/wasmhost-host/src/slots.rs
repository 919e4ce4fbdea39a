//! Slots: the right to run one attempt.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The slots of one queue.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    freed: Arc<Notify>,
}

/// One slot, taken until dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    freed: Arc<Notify>,
}

impl Slots {
    pub(crate) fn new(count: u32) -> Self {
        Self { free: Arc::new(Semaphore::new(count as usize)), freed: Arc::new(Notify::new()) }
    }

    pub(crate) fn free(&self) -> usize {
        self.free.available_permits()
    }

    /// Resolves when a slot was freed since the last call. Safe to drop: the next call sees it.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// A slot, if one is free.
    pub(crate) fn try_take(&self) -> Option<Slot> {
        let permit = self.free.clone().try_acquire_owned().ok()?;
        Some(Slot { permit: Some(permit), freed: self.freed.clone() })
    }

    /// The next free slot.
    pub(crate) async fn take(&self) -> Slot {
        let permit = self.free.clone().acquire_owned().await.expect("the semaphore is never closed");
        Slot { permit: Some(permit), freed: self.freed.clone() }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.freed.notify_one();
    }
}
