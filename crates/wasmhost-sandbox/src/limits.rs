//! Enforces the limits of memories and tables on the store of one attempt, and notes what it refuses.

use std::sync::Arc;

use wasmhost_protocol::policy::Limits;
use wasmtime::ResourceLimiter;

use crate::engine::{CORE_INSTANCES, MEMORIES, TABLES};
use crate::meter::Meter;
use crate::refusals::{Refusals, Refused};

/// Limits the growth of all memories and tables of one store.
pub(crate) struct StoreLimiter {
    memory: Budget,
    table_elements: Budget,
    meter: Arc<Meter>,
    refusals: Arc<Refusals>,
}

/// What is used of a limit, all memories or all tables together.
struct Budget {
    limit: u64,
    used: u64,
    last_growth: u64,
}

impl Budget {
    fn new(limit: u64) -> Self {
        Self { limit, used: 0, last_growth: 0 }
    }

    fn allows(&self, growth: u64) -> bool {
        self.used.saturating_add(growth) <= self.limit
    }

    fn grow(&mut self, growth: u64) {
        self.used += growth;
        self.last_growth = growth;
    }

    /// Takes back the last growth, which the machine could not fulfil.
    fn undo_growth(&mut self) {
        self.used = self.used.saturating_sub(std::mem::take(&mut self.last_growth));
    }
}

impl StoreLimiter {
    pub(crate) fn new(limits: &Limits, meter: Arc<Meter>, refusals: Arc<Refusals>) -> Self {
        let memory = Budget::new(limits.memory_bytes);
        let table_elements = Budget::new(limits.table_elements);
        Self { memory, table_elements, meter, refusals }
    }

    /// What the guest leaves of its memory limit, in bytes.
    pub(crate) fn memory_left(&self) -> u64 {
        self.memory.limit.saturating_sub(self.memory.used)
    }

    fn refuse(&self, refused: Refused) -> wasmtime::Result<bool> {
        self.refusals.note(refused);
        Ok(false)
    }
}

impl ResourceLimiter for StoreLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        // The limit is checked before the module's own maximum: it is the one that an operator can raise.
        if !self.memory.allows(growth) {
            return self.refuse(Refused::Memory);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return self.refuse(Refused::MemoryByModule);
        }
        self.refusals.mark_survived();
        self.memory.grow(growth);
        self.meter.record_memory(self.memory.used);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        // The growth was granted and counted before the engine found that it cannot have it.
        self.memory.undo_growth();
        self.refusals.note(Refused::MemoryByMachine);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        let exceeds_maximum = maximum.is_some_and(|maximum| desired > maximum);
        if !self.table_elements.allows(growth) || exceeds_maximum {
            return self.refuse(Refused::Tables);
        }
        self.refusals.mark_survived();
        self.table_elements.grow(growth);
        Ok(true)
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.table_elements.undo_growth();
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
    use crate::refusals::Refused;

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
