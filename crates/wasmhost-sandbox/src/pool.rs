//! Room in the engine's pool of instances. A full pool fails at once and the guest would be blamed, so that whoever
//! starts an instance waits here until there is room for all that it takes.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::engine::total_memories;

/// What is free of the pool.
#[derive(Debug)]
pub(crate) struct Pool {
    slots: Semaphore,
    memories: Semaphore,
    total_memories: u32,
}

/// What an instance takes from the pool beside a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolNeeds {
    /// Linear memories, the one of collected objects included.
    pub(crate) memories: u32,
}

/// The room of one instance in the pool; dropping it gives it back.
pub(crate) struct PoolPermit<'a> {
    _slot: SemaphorePermit<'a>,
    _memories: SemaphorePermit<'a>,
}

impl Pool {
    pub(crate) fn new(slots: u32) -> Self {
        let total_memories = total_memories(slots);
        Self {
            slots: Semaphore::new(slots as usize),
            memories: Semaphore::new(total_memories as usize),
            total_memories,
        }
    }

    /// Waits for room for an instance with these needs.
    pub(crate) async fn acquire(&self, needs: PoolNeeds) -> PoolPermit<'_> {
        // Slots come first: those who wait for memories then wait for instances that run, never for each other.
        let slot = self.slots.acquire().await.expect("the semaphore is never closed");
        // An instance that needs more than there is at all would wait for ever; the engine refuses it with a reason.
        let memories = self.memories.acquire_many(needs.memories.min(self.total_memories));
        PoolPermit { _slot: slot, _memories: memories.await.expect("the semaphore is never closed") }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn every_slot_has_room_for_an_interpreter_with_two_memories() {
        let pool = Pool::new(1_000);
        let needs = PoolNeeds { memories: 2 };
        let permits: Vec<_> = (0..1_000).map(|_| pool.acquire(needs).now_or_never()).collect();
        assert!(permits.iter().all(Option::is_some));
        assert!(pool.acquire(needs).now_or_never().is_none(), "there are as many permits as slots");
    }

    #[test]
    fn whoever_needs_more_memories_than_are_free_waits_for_them() {
        let pool = Pool::new(4);
        let all = pool.acquire(PoolNeeds { memories: u32::MAX }).now_or_never().unwrap();
        let mut next = Box::pin(pool.acquire(PoolNeeds { memories: 1 }));
        assert!(next.as_mut().now_or_never().is_none());
        drop(all);
        assert!(next.as_mut().now_or_never().is_some());
    }
}
