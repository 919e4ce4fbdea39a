//! Memory for attempts. Each attempt has as much reserved as its policy lets it use, for as long as it runs, so that all guests
//! together cannot use more than the host's budget. Most use little of their limit, so an operator who knows the modules may
//! set a budget above the machine's memory ([Memory](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#memory)).

mod machine;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::format_size;

use crate::config::MemoryBudget;

/// What the host itself needs for each attempt, in addition to the guest's own memory.
const HOST_OVERHEAD_BYTES: u64 = 16 << 20;
/// The bytes that one permit of the semaphore stands for.
const PERMIT_BYTES: u64 = 1 << 20;

/// The memory of all attempts of a host. It is cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    free: Arc<Semaphore>,
    total_permits: u32,
    /// The number of attempts that wait for more than they have.
    waiting: Arc<AtomicUsize>,
    changed: Arc<Notify>,
}

/// The memory of one attempt, reserved until it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Memory,
    permit: Option<OwnedSemaphorePermit>,
}

/// One attempt that waits for memory. It counts until it is dropped.
struct Waiter<'a>(&'a Memory);

impl Memory {
    /// Creates the memory of a host with this budget. `changed` is notified when memory becomes free and when an attempt
    /// begins to wait for some.
    pub(crate) fn new(budget: MemoryBudget, changed: Arc<Notify>) -> Self {
        let bytes = budget_bytes(budget);
        if machine::available().is_some_and(|available| available < bytes) {
            tracing::warn!(
                memory = format_size(bytes),
                "other processes use a part of the memory that jobs may have together here: `--memory` may be set lower"
            );
        }
        let total_permits = u32::try_from(bytes / PERMIT_BYTES).unwrap_or(u32::MAX);
        let free = Arc::new(Semaphore::new(total_permits as usize));
        Self { free, total_permits, waiting: Arc::default(), changed }
    }

    /// Returns the whole budget, in bytes.
    pub(crate) fn total_bytes(&self) -> u64 {
        u64::from(self.total_permits) * PERMIT_BYTES
    }

    /// Returns the largest memory limit, in bytes, of an attempt that has the whole budget for itself.
    pub(crate) fn largest_limit(&self) -> u64 {
        self.total_bytes().saturating_sub(HOST_OVERHEAD_BYTES)
    }

    /// Returns for how many attempts with the default limit there is free memory.
    pub(crate) fn free_attempts(&self) -> usize {
        self.free.available_permits() / self.default_permits() as usize
    }

    /// Returns whether an attempt waits: all memory that is free, or becomes free, belongs to it.
    pub(crate) fn has_waiters(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Reserves memory for an attempt with the default limit, if that much is free. Which module the next delivery needs is
    /// not known before it arrives.
    pub(crate) fn reserve_default(&self) -> Option<Reservation> {
        let permit = self.free.clone().try_acquire_many_owned(self.default_permits()).ok()?;
        Some(Reservation { memory: self.clone(), permit: Some(permit) })
    }

    fn default_permits(&self) -> u32 {
        self.permits_for(Limits::default().memory_bytes)
    }

    /// Returns the permits that an attempt with this limit needs, at most the whole budget.
    fn permits_for(&self, limit_bytes: u64) -> u32 {
        let permits = limit_bytes.saturating_add(HOST_OVERHEAD_BYTES).div_ceil(PERMIT_BYTES);
        u32::try_from(permits).unwrap_or(u32::MAX).min(self.total_permits).max(1)
    }
}

impl Reservation {
    /// Grows or shrinks the reservation to what an attempt with this limit needs. Returns false, and changes nothing, where
    /// more is needed than is free.
    pub(crate) fn resize(&mut self, limit_bytes: u64) -> bool {
        let wanted = self.memory.permits_for(limit_bytes) as usize;
        let held = self.permits();
        if wanted > held {
            let more = u32::try_from(wanted - held).unwrap_or(u32::MAX);
            let Ok(more) = self.memory.free.clone().try_acquire_many_owned(more) else { return false };
            match &mut self.permit {
                Some(permit) => permit.merge(more),
                None => self.permit = Some(more),
            }
        } else if let Some(surplus) = self.permit.as_mut().and_then(|permit| permit.split(held - wanted)) {
            drop(surplus);
            self.memory.changed.notify_one();
        }
        true
    }

    /// Waits until the reservation is what an attempt with this limit needs, in the order of asking. It is cancel-safe.
    pub(crate) async fn wait_for(&mut self, limit_bytes: u64) {
        // What is held is given back first: two attempts that each held a part of what both need would wait for ever.
        self.permit = None;
        let wanted = self.memory.permits_for(limit_bytes);
        let waiter = Waiter::register(&self.memory);
        let permit = self.memory.free.clone().acquire_many_owned(wanted).await;
        drop(waiter);
        self.permit = Some(permit.expect("the semaphore is never closed"));
    }

    fn permits(&self) -> usize {
        self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // The permits are given back before the notification: whoever wakes must find them free.
        self.permit = None;
        self.memory.changed.notify_one();
    }
}

impl<'a> Waiter<'a> {
    fn register(memory: &'a Memory) -> Self {
        memory.waiting.fetch_add(1, Ordering::Relaxed);
        // Pull requests that wait at the server hold memory: they are called back now.
        memory.changed.notify_one();
        Self(memory)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}

/// Returns the budget in bytes. Where the system does not report its memory, a percentage is no limit.
fn budget_bytes(budget: MemoryBudget) -> u64 {
    match budget {
        MemoryBudget::Bytes(bytes) => bytes,
        MemoryBudget::Percent(percent) => match machine::total() {
            Some(total) => (u128::from(total) * u128::from(percent) / 100).try_into().unwrap_or(u64::MAX),
            None => {
                tracing::warn!(
                    "the system does not report how much memory it has: jobs may use all of it (`--memory`)"
                );
                u64::MAX
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn memory(bytes: u64) -> Memory {
        Memory::new(MemoryBudget::Bytes(bytes), Arc::default())
    }

    #[test]
    fn no_more_is_given_away_than_there_is() {
        let memory = memory(300 * MIB);
        assert_eq!((memory.free_attempts(), memory.largest_limit()), (2, 284 * MIB));
        let mut one = memory.reserve_default().unwrap();
        let two = memory.reserve_default().unwrap();
        assert!(memory.reserve_default().is_none());
        assert!(one.resize(140 * MIB) && !one.resize(141 * MIB), "twelve MiB are left");
        drop(two);
        assert!(one.resize(284 * MIB) && memory.free_attempts() == 0);
        assert!(one.resize(2 * MIB));
        assert_eq!(memory.free_attempts(), 1, "what is not needed is free again");
        drop(one);
        assert_eq!(memory.free_attempts(), 2);
    }

    #[test]
    fn many_that_need_more_than_they_hold_all_get_it_in_their_turn() {
        let memory = memory(600 * MIB);
        let all: Vec<_> = std::iter::from_fn(|| memory.reserve_default()).collect();
        assert_eq!(all.len(), 4);
        let wait = |mut one: Reservation| async move {
            one.wait_for(500 * MIB).await;
            one
        };
        let mut waiting: Vec<_> = all.into_iter().map(|one| wait(one).boxed()).collect();
        // Each gives back what it holds when it begins to wait.
        assert!(waiting.iter_mut().all(|one| one.now_or_never().is_none()));
        assert!(
            memory.has_waiters() && memory.reserve_default().is_none(),
            "what is free belongs to those who wait"
        );
        while !waiting.is_empty() {
            let got = waiting.remove(0).now_or_never().expect("it asked first");
            assert!(waiting.iter_mut().all(|one| one.now_or_never().is_none()), "there is room for one");
            drop(got);
        }
        assert!(!memory.has_waiters());
        assert_eq!(memory.free_attempts(), 4);
    }

    #[test]
    fn a_small_machine_still_runs_one_at_a_time() {
        let memory = memory(64 * MIB);
        assert_eq!((memory.free_attempts(), memory.largest_limit()), (1, 48 * MIB));
        let mut one = memory.reserve_default().unwrap();
        assert!(one.resize(48 * MIB));
        assert!(memory.reserve_default().is_none());
    }
}
