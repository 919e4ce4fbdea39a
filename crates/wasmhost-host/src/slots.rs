//! Slots: the right to run one attempt. There is one pool of them for all queues.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The slots of a host.
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

    /// So many slots, or fewer where fewer are free.
    pub(crate) fn take(&self, count: usize) -> Vec<Slot> {
        let take = || {
            let permit = self.free.clone().try_acquire_owned().ok()?;
            Some(Slot { permit: Some(permit), freed: self.freed.clone() })
        };
        (0..count).map_while(|_| take()).collect()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.freed.notify_one();
    }
}
