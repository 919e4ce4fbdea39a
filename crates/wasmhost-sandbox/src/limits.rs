//! Bounds the memories and tables of one store, and remembers what it refused: an allocation failure inside a guest
//! looks like any other trap, and only this knows better.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmhost_protocol::Limits;
use wasmtime::ResourceLimiter;

use crate::meter::Meter;

/// Core instances that one component may have; the pool has room for them in every slot.
pub(crate) const CORE_INSTANCES: u32 = 128;
/// Linear memories that one component may have; the heap of collected objects is one more.
pub(crate) const MEMORIES: u32 = 32;
/// Tables that one component may have.
pub(crate) const TABLES: u32 = 64;

/// What was refused so far.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    memory: AtomicBool,
    tables: AtomicBool,
}

impl Refusals {
    pub(crate) fn memory(&self) -> bool {
        self.memory.load(Ordering::Relaxed)
    }

    pub(crate) fn tables(&self) -> bool {
        self.tables.load(Ordering::Relaxed)
    }
}

/// Bounds one store.
pub(crate) struct StoreLimiter {
    memory_limit: u64,
    memory: u64,
    newest_growth: u64,
    table_limit: u64,
    table_elements: u64,
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
            meter,
            refusals,
        }
    }

    /// What is left of the memory limit, in bytes.
    pub(crate) fn room(&self) -> u64 {
        self.memory_limit.saturating_sub(self.memory)
    }
}

impl ResourceLimiter for StoreLimiter {
    fn memory_growing(&mut self, now: usize, wanted: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        let growth = wanted.saturating_sub(now) as u64;
        if self.memory.saturating_add(growth) > self.memory_limit {
            self.refusals.memory.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        if most.is_some_and(|most| wanted > most) {
            return Ok(false);
        }
        self.newest_growth = growth;
        self.memory += growth;
        self.meter.saw_memory(self.memory);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory = self.memory.saturating_sub(std::mem::take(&mut self.newest_growth));
        Ok(())
    }

    fn table_growing(&mut self, now: usize, wanted: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        let growth = wanted.saturating_sub(now) as u64;
        if self.table_elements.saturating_add(growth) > self.table_limit {
            self.refusals.tables.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        if most.is_some_and(|most| wanted > most) {
            return Ok(false);
        }
        self.table_elements += growth;
        Ok(true)
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
        assert!(!refusals.memory());
        assert!(!limiter.memory_growing(40, 41, None).unwrap());
        assert!(refusals.memory());
        assert_eq!(meter.usage().memory_peak_bytes, 100);
    }
}
