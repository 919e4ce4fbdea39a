//! The slots of a host: each is the right to run one attempt, with memory reserved for it. All queues share one pool.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::config::MemoryBudget;
use crate::memory::{Memory, Reservation};

/// The slots of a host. It is cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    changed: Arc<Notify>,
    /// The memory of all attempts. A slot is only taken together with a reservation.
    pub(crate) memory: Memory,
}

/// One slot, taken until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    changed: Arc<Notify>,
    /// The memory of the slot's attempt. Until its policy is known, it is that of the default limit.
    pub(crate) memory: Reservation,
}

impl Slots {
    /// Creates `count` free slots.
    pub(crate) fn new(count: u32, memory: MemoryBudget) -> Self {
        let changed = Arc::new(Notify::new());
        let memory = Memory::new(memory, changed.clone());
        Self { free: Arc::new(Semaphore::new(count as usize)), changed, memory }
    }

    /// Returns how many slots are free and have memory for an attempt with the default limit.
    pub(crate) fn free(&self) -> usize {
        self.free.available_permits().min(self.memory.free_attempts())
    }

    /// Resolves when a slot or memory became free, or an attempt began to wait for memory, since the last call. It is
    /// cancel-safe: a change that was not seen resolves the next call.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes up to `count` slots, as many as are free.
    pub(crate) fn take(&self, count: usize) -> Vec<Slot> {
        let take_one = || {
            // A slot is of no use without memory for an attempt.
            let memory = self.memory.reserve_default()?;
            let permit = self.free.clone().try_acquire_owned().ok()?;
            Some(Slot { permit: Some(permit), changed: self.changed.clone(), memory })
        };
        (0..count).map_while(|_| take_one()).collect()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // The permit is given back before the notification: whoever wakes must find the slot free.
        drop(self.permit.take());
        self.changed.notify_one();
    }
}
