//! Memory for attempts. Each has as much reserved as its policy lets it use, for as long as it runs: all guests together cannot
//! have more than there is, whatever they do. Most use little of it, so an operator who knows them may give away more.

mod machine;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::format_size;

use crate::config::MemoryBudget;

/// What the host itself needs for an attempt, beside the guest's own memory.
const BESIDE_BYTES: u64 = 16 << 20;
/// Memory is reserved in units of so many bytes.
const UNIT_BYTES: u64 = 1 << 20;

/// The memory of a host's attempts.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    free: Arc<Semaphore>,
    /// All of it, in units.
    whole: u32,
    /// Attempts that wait for more than they have.
    waiting: Arc<AtomicUsize>,
    changed: Arc<Notify>,
}

/// Memory of one attempt, until dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    memory: Memory,
    permit: Option<OwnedSemaphorePermit>,
}

/// One that waits, until dropped.
struct Waiting<'a>(&'a Memory);

impl Memory {
    /// Of a host with this budget. `changed` hears of all that becomes free, or is waited for.
    pub(crate) fn new(budget: MemoryBudget, changed: Arc<Notify>) -> Self {
        let bytes = bytes_of(budget);
        if machine::available().is_some_and(|available| available < bytes) {
            tracing::warn!(
                memory = format_size(bytes),
                "others use a part of the memory that jobs may have together here: `--memory` may be set lower"
            );
        }
        let whole = u32::try_from(bytes / UNIT_BYTES).unwrap_or(u32::MAX);
        let free = Arc::new(Semaphore::new(whole as usize));
        Self { free, whole, waiting: Arc::default(), changed }
    }

    /// All of it, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.whole) * UNIT_BYTES
    }

    /// The most that a guest's limit may be: what one has that is alone.
    pub(crate) fn largest_limit(&self) -> u64 {
        self.bytes().saturating_sub(BESIDE_BYTES)
    }

    /// How many usual attempts there is memory for.
    pub(crate) fn fits(&self) -> usize {
        self.free.available_permits() / self.usual() as usize
    }

    /// Whether somebody waits: whatever is free is theirs.
    pub(crate) fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Memory for a usual attempt, if there is any: which module the next delivery needs nobody knows.
    pub(crate) fn take_usual(&self) -> Option<Reserved> {
        let permit = self.free.clone().try_acquire_many_owned(self.usual()).ok()?;
        Some(Reserved { memory: self.clone(), permit: Some(permit) })
    }

    fn usual(&self) -> u32 {
        self.units(Limits::default().memory_bytes)
    }

    /// For an attempt with this limit. Never more than there is.
    fn units(&self, limit_bytes: u64) -> u32 {
        let units = limit_bytes.saturating_add(BESIDE_BYTES).div_ceil(UNIT_BYTES);
        u32::try_from(units).unwrap_or(u32::MAX).min(self.whole).max(1)
    }
}

impl Reserved {
    /// Makes it what an attempt with this limit needs, where that can be had at once.
    pub(crate) fn resize(&mut self, limit_bytes: u64) -> bool {
        let (wanted, held) = (self.memory.units(limit_bytes) as usize, self.units());
        if wanted > held {
            let more = u32::try_from(wanted - held).unwrap_or(u32::MAX);
            let Ok(more) = self.memory.free.clone().try_acquire_many_owned(more) else { return false };
            match &mut self.permit {
                Some(permit) => permit.merge(more),
                None => self.permit = Some(more),
            }
        } else if let Some(given_back) = self.permit.as_mut().and_then(|permit| permit.split(held - wanted)) {
            drop(given_back);
            self.memory.changed.notify_one();
        }
        true
    }

    /// The same, as soon as it can be had, in the order in which it was asked for. What is held meanwhile is given back: two that
    /// each held a part of what both need would wait for ever. Safe to drop.
    pub(crate) async fn wait_for(&mut self, limit_bytes: u64) {
        self.permit = None;
        let wanted = self.memory.units(limit_bytes);
        let waiting = Waiting::of(&self.memory);
        let permit = self.memory.free.clone().acquire_many_owned(wanted).await;
        drop(waiting);
        self.permit = Some(permit.expect("the semaphore is never closed"));
    }

    fn units(&self) -> usize {
        self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.permit = None;
        self.memory.changed.notify_one();
    }
}

impl<'a> Waiting<'a> {
    fn of(memory: &'a Memory) -> Self {
        memory.waiting.fetch_add(1, Ordering::Relaxed);
        memory.changed.notify_one();
        Self(memory)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}

/// A part of what there is; where the system does not tell that, as much as is asked for.
fn bytes_of(budget: MemoryBudget) -> u64 {
    match budget {
        MemoryBudget::Bytes(bytes) => bytes,
        MemoryBudget::Percent(percent) => match machine::total() {
            Some(total) => (u128::from(total) * u128::from(percent) / 100).try_into().unwrap_or(u64::MAX),
            None => {
                tracing::warn!(
                    "the system does not tell how much memory it has: jobs may use all of it (`--memory`)"
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
        assert_eq!((memory.fits(), memory.largest_limit()), (2, 284 * MIB));
        let (mut one, two) = (memory.take_usual().unwrap(), memory.take_usual().unwrap());
        assert!(memory.take_usual().is_none());
        assert!(one.resize(140 * MIB) && !one.resize(141 * MIB), "twelve are left");
        drop(two);
        assert!(one.resize(284 * MIB) && memory.fits() == 0);
        assert!(one.resize(2 * MIB));
        assert_eq!(memory.fits(), 1, "what is not needed is free again");
        drop(one);
        assert_eq!(memory.fits(), 2);
    }

    #[test]
    fn many_that_need_more_than_they_hold_all_get_it_in_their_turn() {
        let memory = memory(600 * MIB);
        let all: Vec<_> = std::iter::from_fn(|| memory.take_usual()).collect();
        assert_eq!(all.len(), 4);
        let wait = |mut one: Reserved| async move {
            one.wait_for(500 * MIB).await;
            one
        };
        let mut waiting: Vec<_> = all.into_iter().map(|one| wait(one).boxed()).collect();
        // Each lets go of what it holds when it begins to wait.
        assert!(waiting.iter_mut().all(|one| one.now_or_never().is_none()));
        assert!(memory.is_awaited() && memory.take_usual().is_none(), "what is free is theirs");
        while !waiting.is_empty() {
            let got = waiting.remove(0).now_or_never().expect("it is the first in the line");
            assert!(waiting.iter_mut().all(|one| one.now_or_never().is_none()), "there is room for one");
            drop(got);
        }
        assert!(!memory.is_awaited());
        assert_eq!(memory.fits(), 4);
    }

    #[test]
    fn a_small_machine_still_runs_one_at_a_time() {
        let memory = memory(64 * MIB);
        assert_eq!((memory.fits(), memory.largest_limit()), (1, 48 * MIB));
        let mut one = memory.take_usual().unwrap();
        assert!(one.resize(48 * MIB));
        assert!(memory.take_usual().is_none());
    }
}
