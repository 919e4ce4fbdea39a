//! Reads the engine's own errors. Function names of the guest stand in the chain of an error, so that of an error
//! without a type only the root cause is compared, and as a whole: no text of a guest is ever taken for one of the
//! engine's.

use std::io;

use wasmhost_protocol::outcome::Limit;
use wasmtime::component::ResourceTableError;
use wasmtime::{FrameInfo, PoolConcurrencyLimitError, ThrownException, Trap, WasmBacktrace};

/// From how many frames of one function on a backtrace is that of a recursion.
const RECURSION_FRAMES: usize = 12;

/// Root causes for which the engine has no types, in its own words. The tests of this crate provoke each of them, so
/// that a new version of the engine with other words is noticed.
const LIMIT_TEXTS: [(&str, Limit); 3] = [
    (
        "too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted",
        Limit::Result,
    ),
    ("cannot allocate another handle: store handle limit exceeded", Limit::Instances),
    ("cannot lend resource: store handle limit exceeded", Limit::Instances),
];

/// The beginning of a root cause that goes on with what was counted, and up to which number.
const COUNT_TEXT: &str = "resource limit exceeded: ";

/// The limit that an error of the engine stands for.
pub(super) fn limit(error: &wasmtime::Error) -> Option<Limit> {
    if matches!(error.downcast_ref::<ResourceTableError>(), Some(ResourceTableError::Full)) {
        return Some(Limit::Instances);
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return (*trap == Trap::OutOfFuel).then_some(Limit::Fuel);
    }
    let cause = error.root_cause().to_string();
    let limit = LIMIT_TEXTS.iter().find(|(text, _)| cause == *text).map(|(_, limit)| *limit);
    limit.or_else(|| is_count(&cause).then_some(Limit::Instances))
}

/// Whether a root cause is like `resource limit exceeded: memory count too high at 3`, to its end.
fn is_count(cause: &str) -> bool {
    let Some(rest) = cause.strip_prefix(COUNT_TEXT) else { return false };
    ["instance", "memory", "table"].iter().any(|counted| {
        let count = rest.strip_prefix(counted).and_then(|rest| rest.strip_prefix(" count too high at "));
        count.is_some_and(|count| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// What the host lacked: something that the operating system refused the engine, or room in the pool that all guests
/// share. No error of a guest has one of these types.
pub(super) fn host_fault(error: &wasmtime::Error) -> Option<String> {
    if let Some(full) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        return Some(format!("the host has no room for another instance: {full}"));
    }
    let refusal = error.downcast_ref::<io::Error>().filter(|error| error.raw_os_error().is_some())?;
    Some(format!("the machine refused the host what it needs: {refusal}"))
}

/// Whether the guest threw an exception that it did not catch.
pub(super) fn is_uncaught_exception(error: &wasmtime::Error) -> bool {
    error.is::<ThrownException>()
}

/// What a record calls a trap.
pub(super) fn trap_text(error: &wasmtime::Error) -> String {
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => "stack overflow".to_owned(),
        Some(Trap::MemoryOutOfBounds) if is_deep_recursion(error) => {
            "stack overflow (out of bounds memory access, deep in a recursion)".to_owned()
        }
        Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
        None if is_uncaught_exception(error) => "an exception that nothing caught".to_owned(),
        None => error.root_cause().to_string(),
    }
}

/// Languages with a stack in linear memory run over the end of that stack before the engine's own is full.
fn is_deep_recursion(error: &wasmtime::Error) -> bool {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return false };
    let innermost = trace.frames().first().map(FrameInfo::func_index);
    trace.frames().iter().filter(|frame| Some(frame.func_index()) == innermost).count() >= RECURSION_FRAMES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_refuses_is_told_from_what_the_guest_does() {
        let refused =
            wasmtime::Error::from(std::io::Error::from_raw_os_error(27)).context("making an instance");
        assert!(host_fault(&refused).is_some());
        assert!(host_fault(&wasmtime::Error::from(Trap::StackOverflow)).is_none());
        assert!(host_fault(&wasmtime::Error::from(std::io::Error::other("no code"))).is_none());
    }

    #[test]
    fn a_text_of_the_guests_is_no_limit() {
        for (text, wanted) in [
            (LIMIT_TEXTS[0].0.to_owned(), Some(Limit::Result)),
            ("resource limit exceeded: memory count too high at 3".to_owned(), Some(Limit::Instances)),
            ("resource limit exceeded: memory count too high at once".to_owned(), None),
            ("resource limit exceeded: the mine is empty".to_owned(), None),
            (format!("{}!", LIMIT_TEXTS[1].0), None),
        ] {
            assert_eq!(limit(&wasmtime::Error::msg(text.clone())), wanted, "{text}");
            let below = wasmtime::Error::msg("the guest failed").context(text);
            assert_eq!(limit(&below), None, "only the root cause counts: {below:#}");
        }
        let named = wasmtime::Error::from(Trap::UnreachableCodeReached).context(LIMIT_TEXTS[1].0);
        assert_eq!(limit(&named), None);
    }

    /// The error of making two instances of a module with one memory in this engine.
    fn second_instance(config: &wasmtime::Config, memories: usize) -> wasmtime::Error {
        let engine = wasmtime::Engine::new(config).unwrap();
        let module = wasmtime::Module::new(&engine, wat::parse_str("(module (memory 1))").unwrap()).unwrap();
        let limits = wasmtime::StoreLimitsBuilder::new().memories(memories).build();
        let mut store = wasmtime::Store::new(&engine, limits);
        store.limiter(|limits| limits);
        wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
        wasmtime::Instance::new(&mut store, &module, &[]).unwrap_err()
    }

    #[test]
    fn the_engines_words_for_a_count_are_known() {
        let error = second_instance(&wasmtime::Config::new(), 1);
        assert_eq!((limit(&error), host_fault(&error)), (Some(Limit::Instances), None), "{error:#}");
    }

    #[test]
    fn a_full_pool_is_the_hosts_fault() {
        let mut pool = wasmtime::PoolingAllocationConfig::default();
        pool.total_core_instances(1).total_memories(8);
        let mut config = wasmtime::Config::new();
        config.allocation_strategy(wasmtime::InstanceAllocationStrategy::Pooling(pool));
        let error = second_instance(&config, 9);
        let why = host_fault(&error).unwrap();
        assert!(
            why.starts_with("the host has no room for another instance: maximum concurrent limit of 1"),
            "{why}"
        );
        assert_eq!(limit(&error), None);
    }
}
