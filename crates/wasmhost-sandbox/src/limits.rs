//! Bounds the memories and tables of one store, and remembers what it refused: an allocation failure inside a guest
//! looks like any other trap, and only this knows better.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmhost_protocol::policy::Limits;
use wasmtime::ResourceLimiter;

use crate::meter::Meter;

/// Core instances that one component may have; the pool has room for them in every slot.
pub(crate) const CORE_INSTANCES: u32 = 128;
/// Linear memories that one component may have; the heap of collected objects is one more.
pub(crate) const MEMORIES: u32 = 32;
/// Tables that one component may have.
pub(crate) const TABLES: u32 = 64;

/// What a guest can be refused, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Memory over its limit.
    Memory,
    /// Memory over the maximum that the module itself names.
    MemoryByModule,
    /// Memory that it may have and the machine has not.
    MemoryByMachine,
    /// Table elements.
    Tables,
}

impl Refused {
    pub(crate) fn is_memory(self) -> bool {
        match self {
            Self::Memory | Self::MemoryByModule | Self::MemoryByMachine => true,
            Self::Tables => false,
        }
    }
}

/// What was refused last, and whether the guest went on after it: a refusal that it survived is not what ended it.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Newest>);

#[derive(Debug, Default, Clone, Copy)]
struct Newest {
    refused: Option<Refused>,
    outlived: bool,
}

impl Refusals {
    pub(crate) fn note(&self, refused: Refused) {
        *self.lock() = Newest { refused: Some(refused), outlived: false };
    }

    /// The guest got something else, or was heard of, after whatever was refused.
    pub(crate) fn mark_survived(&self) {
        self.lock().outlived = true;
    }

    /// The last refusal, if the guest has not been heard of since.
    pub(crate) fn unsurvived(&self) -> Option<Refused> {
        let newest = *self.lock();
        newest.refused.filter(|_| !newest.outlived)
    }

    /// The last refusal at any time.
    pub(crate) fn last(&self) -> Option<Refused> {
        self.lock().refused
    }

    fn lock(&self) -> MutexGuard<'_, Newest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bounds one store.
pub(crate) struct StoreLimiter {
    memory_limit: u64,
    memory: u64,
    newest_growth: u64,
    table_limit: u64,
    table_elements: u64,
    newest_table_growth: u64,
    meter: Arc<Meter>,
    refusals: Arc<Refusals>,
}

impl StoreLimiter {
    pub(crate) fn new(limits: &Limits, meter: Arc<Meter>, refusals: Arc<Refusals>) -> Self {
        Self {
            memory_limit: limits.memory_bytes,
            memory: 0,
            newest_growth: 0,
            table_limit: limits.table_elements,
            table_elements: 0,
            newest_table_growth: 0,
            meter,
            refusals,
        }
    }

    /// What is left of the memory limit, in bytes.
    pub(crate) fn memory_left(&self) -> u64 {
        self.memory_limit.saturating_sub(self.memory)
    }
}

impl ResourceLimiter for StoreLimiter {
    fn memory_growing(&mut self, now: usize, wanted: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        let growth = wanted.saturating_sub(now) as u64;
        if self.memory.saturating_add(growth) > self.memory_limit {
            self.refusals.note(Refused::Memory);
            return Ok(false);
        }
        if most.is_some_and(|most| wanted > most) {
            self.refusals.note(Refused::MemoryByModule);
            return Ok(false);
        }
        self.refusals.mark_survived();
        self.newest_growth = growth;
        self.memory += growth;
        self.meter.record_memory(self.memory);
        Ok(true)
    }

    /// What was granted and could not be had after all.
    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory = self.memory.saturating_sub(std::mem::take(&mut self.newest_growth));
        self.refusals.note(Refused::MemoryByMachine);
        Ok(())
    }

    fn table_growing(&mut self, now: usize, wanted: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        let growth = wanted.saturating_sub(now) as u64;
        if self.table_elements.saturating_add(growth) > self.table_limit {
            self.refusals.note(Refused::Tables);
            return Ok(false);
        }
        if most.is_some_and(|most| wanted > most) {
            self.refusals.note(Refused::Tables);
            return Ok(false);
        }
        self.refusals.mark_survived();
        self.newest_table_growth = growth;
        self.table_elements += growth;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.table_elements =
            self.table_elements.saturating_sub(std::mem::take(&mut self.newest_table_growth));
        self.refusals.note(Refused::Tables);
        Ok(())
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn memories_count_together_and_a_refusal_is_remembered() {
        let meter = Arc::new(Meter::start(Duration::MAX));
        let refusals = Arc::new(Refusals::default());
        let limits = Limits { memory_bytes: 100, ..Limits::default() };
        let mut limiter = StoreLimiter::new(&limits, meter.clone(), refusals.clone());
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(0, 40, None).unwrap());
        assert_eq!(refusals.last(), None);
        assert!(!limiter.memory_growing(40, 41, None).unwrap());
        assert_eq!((refusals.last(), refusals.unsurvived()), (Some(Refused::Memory), Some(Refused::Memory)));
        assert_eq!(meter.usage().memory_peak_bytes, 100);
        refusals.mark_survived();
        assert_eq!((refusals.last(), refusals.unsurvived()), (Some(Refused::Memory), None));
    }

    #[test]
    fn what_could_not_be_had_after_all_is_given_back_and_remembered() {
        let refusals = Arc::new(Refusals::default());
        let limits = Limits { memory_bytes: 100, table_elements: 100, ..Limits::default() };
        let mut limiter = StoreLimiter::new(&limits, Arc::new(Meter::start(Duration::MAX)), refusals.clone());
        for _ in 0..3 {
            assert!(limiter.memory_growing(0, 100, None).unwrap());
            limiter.memory_grow_failed(wasmtime::Error::msg("no room")).unwrap();
            assert_eq!(refusals.unsurvived(), Some(Refused::MemoryByMachine));
            assert!(limiter.table_growing(0, 100, None).unwrap(), "what failed before takes no room");
            limiter.table_grow_failed(wasmtime::Error::msg("no room")).unwrap();
            assert_eq!(refusals.unsurvived(), Some(Refused::Tables));
        }
        assert!(!limiter.table_growing(0, 9, Some(8)).unwrap());
        assert_eq!(refusals.unsurvived(), Some(Refused::Tables), "its own maximum is a refusal too");
        assert!(!limiter.memory_growing(0, 9, Some(8)).unwrap());
        assert_eq!(refusals.unsurvived(), Some(Refused::MemoryByModule));
    }
}
