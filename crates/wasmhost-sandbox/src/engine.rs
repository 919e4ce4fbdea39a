//! The engine and its pool of slots. Everything that decides what compiled code looks like is in [`base`], so that
//! the compiling child and the pooling host agree on artifacts.

use std::num::NonZeroUsize;

use wasmtime::{
    Collector, Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    Strategy, WasmFeatures,
};

use crate::limits::{CORE_INSTANCES, MEMORIES, TABLES};

/// What components may be made of: WebAssembly 3.0 and the component model as far as it is settled. The intrinsics of
/// asynchronous functions are in it because interpreters bring them, used or not; maps, because one function with a map
/// should not take the others with it.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .difference(WasmFeatures::THREADS)
    .union(WasmFeatures::COMPONENT_MODEL)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_MAP);

/// Memory that a slot keeps between attempts: with it, and the page map, slots scale to a second core.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;
const KEEP_TABLE_BYTES: usize = 64 << 10;
/// Elements of one table, as many as all of a guest's may have; Go's has 6,553.
const TABLE_ELEMENTS: usize = 100_000;
/// Stack of a guest.
const STACK_BYTES: usize = 512 << 10;
/// Frames of a backtrace.
const FRAMES: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");

/// Mappings that an instance takes; the kernel's own limit is per process.
const MAPPINGS_PER_SLOT: u64 = 6;

fn base() -> Config {
    let mut config = Config::new();
    config
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(FEATURES, true)
        .collector(Collector::Copying)
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .wasm_backtrace_max_frames(Some(FRAMES))
        .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Enable);
    config
}

/// An engine that allocates as it goes: for compiling, and where there is no room for a pool.
pub(crate) fn on_demand() -> wasmtime::Result<Engine> {
    Engine::new(&base())
}

/// An engine with a pool of `slots`; where the address space for it cannot be had, one without, and a warning.
pub(crate) fn pooling(slots: u32, max_memory_bytes: u64) -> wasmtime::Result<Engine> {
    warn_of_mappings(slots);
    let mut config = base();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(slots, max_memory_bytes)));
    Engine::new(&config).or_else(|error| {
        tracing::warn!(
            slots,
            error = format!("{error:#}"),
            "no address space for a pool of slots (`ulimit -v`, strict overcommit?): instances are allocated on demand"
        );
        on_demand()
    })
}

fn pool(slots: u32, max_memory_bytes: u64) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES))
        .total_memories(total_memories(slots))
        .total_tables(slots.saturating_mul(TABLES))
        .total_gc_heaps(slots)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_memories_per_module(MEMORIES)
        .max_tables_per_module(TABLES)
        .max_tables_per_component(TABLES)
        .max_memory_size(usize::try_from(max_memory_bytes).unwrap_or(usize::MAX))
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_TABLE_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Memories of all slots: two each, which is what interpreters have, and room for some composed components beside them. Each
/// takes 4 GiB of addresses, so that there cannot be as many as all slots may ask for; whoever starts one counts them.
pub(crate) fn total_memories(slots: u32) -> u32 {
    slots.saturating_mul(2).saturating_add(MEMORIES * 2)
}

fn warn_of_mappings(slots: u32) {
    let most =
        std::fs::read_to_string("/proc/sys/vm/max_map_count").ok().and_then(|text| text.trim().parse().ok());
    let wanted = u64::from(slots) * MAPPINGS_PER_SLOT;
    if most.is_some_and(|most: u64| wanted > most) {
        tracing::warn!(slots, wanted, most, "vm.max_map_count is too low for all slots at once");
    }
}
