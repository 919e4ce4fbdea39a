//! Slots: the right to run one attempt, with the memory for it. There is one pool of them for all queues.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::config::MemoryBudget;
use crate::memory::{Memory, Reserved};

/// The slots of a host.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    freed: Arc<Notify>,
    /// Without it a slot is of no use.
    pub(crate) memory: Memory,
}

/// One slot, taken until dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    freed: Arc<Notify>,
    /// That of a usual attempt, until it is known what the attempt needs.
    pub(crate) memory: Reserved,
}

impl Slots {
    pub(crate) fn new(count: u32, memory: MemoryBudget) -> Self {
        let freed = Arc::new(Notify::new());
        let memory = Memory::new(memory, freed.clone());
        Self { free: Arc::new(Semaphore::new(count as usize)), freed, memory }
    }

    /// Slots that are free, as far as there is memory for them.
    pub(crate) fn free(&self) -> usize {
        self.free.available_permits().min(self.memory.fits())
    }

    /// Resolves when a slot or memory was freed, or began to be waited for, since the last call. Safe to drop: the next call sees it.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// So many slots, or fewer where fewer are free.
    pub(crate) fn take(&self, count: usize) -> Vec<Slot> {
        let take = || {
            let memory = self.memory.take_usual()?;
            let permit = self.free.clone().try_acquire_owned().ok()?;
            Some(Slot { permit: Some(permit), freed: self.freed.clone(), memory })
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
