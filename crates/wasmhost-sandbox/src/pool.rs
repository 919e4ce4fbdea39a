//! Room in the engine's pool: a pool that is full fails at once, so whoever starts an instance waits here for all that it takes.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::engine::total_memories;
use crate::load::Needs;

/// What is free of the pool.
#[derive(Debug)]
pub(crate) struct Pool {
    slots: Semaphore,
    memories: Semaphore,
    all_memories: u32,
}

/// What one instance has of the pool, until it is dropped.
pub(crate) struct Place<'a> {
    _slot: SemaphorePermit<'a>,
    _memories: SemaphorePermit<'a>,
}

impl Pool {
    pub(crate) fn new(slots: u32) -> Self {
        let all_memories = total_memories(slots);
        Self {
            slots: Semaphore::new(slots as usize),
            memories: Semaphore::new(all_memories as usize),
            all_memories,
        }
    }

    /// A place for an instance with these needs.
    pub(crate) async fn place(&self, needs: Needs) -> Place<'_> {
        // Slots come first: those who wait for memories then wait for instances that run, never for each other.
        let slot = self.slots.acquire().await.expect("the semaphore is never closed");
        let memories = self.memories.acquire_many(needs.memories.min(self.all_memories));
        Place { _slot: slot, _memories: memories.await.expect("the semaphore is never closed") }
    }
}
