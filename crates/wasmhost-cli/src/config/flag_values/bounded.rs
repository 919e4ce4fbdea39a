//! Values of flags that have bounds: what is beside them is refused by a word that names them.

use std::str::FromStr;
use std::time::Duration;

use wasmhost_host::MemoryBudget;
use wasmhost_host::bounds::{ACK_WAIT, MEMORY_BYTES, MEMORY_PERCENT, RECONCILE_AFTER, SLOTS};
use wasmhost_nats::LayoutConfig;
use wasmhost_protocol::bounds::Bounds;
use wasmhost_protocol::bounds::{self, Quantity};
use wasmhost_protocol::duration::parse_duration;

use super::{format_bytes, parse_bytes};

/// How long an attempt may take.
pub(crate) fn parse_timeout(text: &str) -> Result<Duration, String> {
    duration(text, bounds::ATTEMPT)
}

/// How long a record is kept; zero drops the result.
pub(crate) fn parse_result_ttl(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(Duration::ZERO) => Ok(Duration::ZERO),
        _ => duration(text, bounds::RESULT_TTL),
    }
}

/// How long to wait before a job is queued.
pub(crate) fn parse_delay(text: &str) -> Result<Duration, String> {
    let delay = parse_duration(text).map_err(|error| error.to_string())?;
    let due = bounds::TIME.hold(wasmhost_nats::now().plus(delay));
    due.map(|_| delay).map_err(|error| error.to_string())
}

/// Attempts in all.
pub(crate) fn parse_attempts(text: &str) -> Result<u32, String> {
    number(text, bounds::MAX_ATTEMPTS)
}

/// How long something may take to end.
pub(crate) fn parse_grace(text: &str) -> Result<Duration, String> {
    duration(text, bounds::GRACE)
}

/// A number of slots.
pub(crate) fn parse_slots(text: &str) -> Result<u32, String> {
    number(text, SLOTS)
}

/// Time without a sign of life.
pub(crate) fn parse_ack_wait(text: &str) -> Result<Duration, String> {
    duration(text, ACK_WAIT)
}

/// The grace of the reconciler.
pub(crate) fn parse_reconcile_after(text: &str) -> Result<Duration, String> {
    duration(text, RECONCILE_AFTER)
}

/// The most memory that a module's policy may ask for.
pub(crate) fn parse_memory_limit(text: &str) -> Result<u64, String> {
    bytes(text, bounds::MEMORY_BYTES)
}

/// The memory of all attempts: a size, or a part of what there is.
pub(crate) fn parse_memory(text: &str) -> Result<MemoryBudget, String> {
    match text.strip_suffix('%') {
        Some(percent) => number(percent, MEMORY_PERCENT).map(MemoryBudget::Percent),
        None => bytes(text, MEMORY_BYTES).map(MemoryBudget::Bytes),
    }
}

/// A number of table elements, handles, attempts or whatever has such bounds.
pub(crate) fn number<T: Quantity + FromStr>(
    text: &str,
    Bounds { least, most }: Bounds<T>,
) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| (Bounds { least, most }).hold(*number).is_ok());
    number.ok_or_else(|| {
        format!("`{}` is not a number from {} to {}", text.escape_debug(), least.text(), most.text())
    })
}

/// A duration within bounds.
pub(crate) fn duration(text: &str, bounds: Bounds<Duration>) -> Result<Duration, String> {
    let duration = parse_duration(text).map_err(|error| error.to_string())?;
    bounds.hold(duration).map_err(|error| error.to_string())
}

/// A size within bounds.
pub(crate) fn bytes(text: &str, bounds: Bounds<u64>) -> Result<u64, String> {
    let bytes = parse_bytes(text)?;
    let (least, most) = (format_bytes(bounds.least), format_bytes(bounds.most));
    bounds.hold(bytes).map_err(|_| format!("size `{text}` is not from {least} to {most}"))
}

/// What the streams may take on the server.
pub(crate) fn parse_storage(text: &str) -> Result<u64, String> {
    bytes(text, LayoutConfig::STORAGE)
}

/// Copies of a stream: what a NATS cluster makes.
pub(crate) fn parse_replicas(text: &str) -> Result<usize, String> {
    number(text, LayoutConfig::REPLICAS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a flag's bound is taken, and the next value refused by a word that names the bound.
    fn edge<T>(parse: fn(&str) -> Result<T, String>, within: &str, beside: &str, bound: &str) {
        assert!(parse(within).is_ok(), "{within}");
        let refused = parse(beside).err().unwrap_or_else(|| panic!("{beside} was taken"));
        assert!(refused.contains(bound), "{refused}");
    }

    #[test]
    fn every_flag_takes_its_bounds_and_names_them_to_who_asks_for_more() {
        edge(parse_timeout, "30d", "30d1ms", "30d, the most");
        edge(parse_timeout, "1ms", "0", "1ms, the least");
        edge(parse_result_ttl, "3650d", "100000d", "3650d, the most");
        edge(parse_result_ttl, "0", "999ms", "1s, the least");
        edge(parse_delay, "85000d", "99999999d", "2262-01-01T00:00:00.000Z, the most");
        edge(parse_attempts, "1000000", "1000001", "from 1 to 1000000");
        edge(parse_attempts, "1", "0", "from 1 to 1000000");
        edge(parse_grace, "30d", "99999999999d", "30d, the most");
        edge(parse_slots, "10000", "10001", "from 1 to 10000");
        edge(parse_slots, "1", "0", "from 1 to 10000");
        edge(parse_ack_wait, "1d", "1d1ms", "1d, the most");
        edge(parse_ack_wait, "1s", "999ms", "1s, the least");
        edge(parse_reconcile_after, "1d", "99999999999d", "1d, the most");
        edge(parse_reconcile_after, "100ms", "99ms", "100ms, the least");
        edge(parse_memory_limit, "4G", "4097M", "64.0 KiB to 4.0 GiB");
        edge(parse_memory_limit, "64K", "0", "64.0 KiB to 4.0 GiB");
        edge(parse_memory, "1000%", "1001%", "from 1 to 1000");
        edge(parse_memory, "1%", "0%", "from 1 to 1000");
        edge(parse_memory, "32M", "31M", "32.0 MiB to 1024.0 TiB");
        edge(parse_storage, "1024T", "1025T", "to 1024.0 TiB");
        edge(parse_storage, "7M", "0", "from 7.0 MiB");
        edge(parse_replicas, "5", "6", "from 1 to 5");
    }
}
