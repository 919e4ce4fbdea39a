//! The engine and its pool of slots. Every setting that changes what compiled code looks like is in [`base`], so that
//! the compiling child and the host agree on artifacts.

use std::num::NonZeroUsize;

use wasmtime::{
    Collector, Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    Strategy, WasmFeatures,
};

/// What components may be made of: WebAssembly 3.0 without threads, and the component model as far as it is settled.
/// The intrinsics of asynchronous functions are on because interpreters import them, used or not. Maps are on so that
/// one function with a map does not make the other functions of its component unusable.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .difference(WasmFeatures::THREADS)
    .union(WasmFeatures::COMPONENT_MODEL)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_MAP);

/// The most core instances that one component may have; the pool has room for them in every slot.
pub(crate) const CORE_INSTANCES: u32 = 128;
/// The most linear memories that one component may have; the memory of collected objects is one more.
pub(crate) const MEMORIES: u32 = 32;
/// The most tables that one component may have.
pub(crate) const TABLES: u32 = 64;

/// How much of each memory a slot keeps between attempts, in bytes. With this and the page map, jobs of small guests
/// take half the processor time, and slots scale to a second core.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;
/// How much of each table a slot keeps between attempts, in bytes.
const KEEP_TABLE_BYTES: usize = 64 << 10;
/// The most elements of one table, which is the default limit of all tables of a guest; a table of Go has 6,553.
const TABLE_ELEMENTS: usize = 100_000;
/// The stack of a guest, in bytes.
const STACK_BYTES: usize = 512 << 10;
/// The most frames of a backtrace.
const FRAMES: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");

/// How many mappings an instance takes; the kernel limits those of a process.
const MAPPINGS_PER_SLOT: u64 = 6;

fn base() -> Config {
    let mut config = Config::new();
    config
        // What a new version of the engine turns on by default stays off until it is decided upon here.
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(FEATURES, true)
        // Its objects stand in a memory that is limited like any other.
        .collector(Collector::Copying)
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .wasm_backtrace_max_frames(Some(FRAMES))
        .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Enable);
    config
}

/// Makes an engine that allocates each instance when it is needed: for compiling, and where there is no room for a
/// pool.
pub(crate) fn on_demand() -> wasmtime::Result<Engine> {
    Engine::new(&base())
}

/// Makes an engine with a pool of `slots`. Where the address space for the pool cannot be had, the engine has none, and
/// a warning says so.
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
        // Kernels before 6.7 have no page map that can be scanned, and reset memory in the older way.
        .pagemap_scan(Enabled::Auto);
    pool
}

/// How many memories all slots have together: two each, which is what interpreters need, and room for some composed
/// components. Each memory takes 4 GiB of addresses, so that there cannot be as many as all slots may ask for at once.
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
