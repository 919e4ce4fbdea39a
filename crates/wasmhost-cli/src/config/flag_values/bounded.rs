//! Values that have bounds. One outside of them is refused with a message that names them.

use std::str::FromStr;
use std::time::Duration;

use wasmhost_host::MemoryBudget;
use wasmhost_host::bounds::{MEMORY_BYTES, MEMORY_PERCENT};
use wasmhost_protocol::bounds::{self, Bounds, Quantity};
use wasmhost_protocol::duration::parse_duration;
use wasmhost_protocol::text::format_size_rounded;

use super::size::parse_bytes;

/// Parses a number within bounds.
pub(crate) fn number<T: Quantity + FromStr>(bounds: Bounds<T>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| bounds.check(*number).is_ok());
        number.ok_or_else(|| {
            let min = bounds.min.text();
            let max = bounds.max.text();
            format!("`{}` is not a number from {min} to {max}", text.escape_debug())
        })
    }
}

/// Parses a duration within bounds.
pub(crate) fn duration(bounds: Bounds<Duration>) -> impl Fn(&str) -> Result<Duration, String> + Clone {
    move |text| {
        let duration = parse_duration(text).map_err(|error| error.to_string())?;
        bounds.check(duration).map_err(|error| error.to_string())
    }
}

/// Parses a size within bounds.
pub(crate) fn bytes(bounds: Bounds<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |text| {
        let bytes = parse_bytes(text)?;
        let min = format_size_rounded(bounds.min);
        let max = format_size_rounded(bounds.max);
        bounds.check(bytes).map_err(|_| format!("size `{text}` is not from {min} to {max}"))
    }
}

/// How long a record is kept; zero drops the result.
pub(crate) fn parse_result_ttl(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        // Zero is below the bound, and has a meaning of its own.
        Ok(Duration::ZERO) => Ok(Duration::ZERO),
        _ => duration(bounds::RESULT_TTL)(text),
    }
}

/// How long to wait before a job is queued.
pub(crate) fn parse_delay(text: &str) -> Result<Duration, String> {
    let delay = parse_duration(text).map_err(|error| error.to_string())?;
    // A delay has no bound of its own: the server must be able to count to the time at which it ends.
    let due = bounds::TIME.check(wasmhost_nats::now().plus(delay));
    due.map(|_| delay).map_err(|error| error.to_string())
}

/// The memory of all attempts together: a size, or a part of what the machine has.
pub(crate) fn parse_memory_budget(text: &str) -> Result<MemoryBudget, String> {
    match text.strip_suffix('%') {
        Some(percent) => number(MEMORY_PERCENT)(percent).map(MemoryBudget::Percent),
        None => bytes(MEMORY_BYTES)(text).map(MemoryBudget::Bytes),
    }
}

#[cfg(test)]
mod tests {
    use wasmhost_host::bounds::{ACK_WAIT, RECONCILE_AFTER, SLOTS};
    use wasmhost_nats::LayoutConfig;

    use super::*;

    /// Checks that a bound is taken, and that the next value is refused by a word that names the bound.
    fn edge<T>(parse: impl Fn(&str) -> Result<T, String>, within: &str, beside: &str, bound: &str) {
        assert!(parse(within).is_ok(), "{within}");
        let refused = parse(beside).err().unwrap_or_else(|| panic!("{beside} was taken"));
        assert!(refused.contains(bound), "{refused}");
    }

    #[test]
    fn every_flag_takes_its_bounds_and_names_them_to_who_asks_for_more() {
        edge(duration(bounds::ATTEMPT), "30d", "30d1ms", "30d, the most");
        edge(duration(bounds::ATTEMPT), "1ms", "0", "1ms, the least");
        edge(parse_result_ttl, "3650d", "100000d", "3650d, the most");
        edge(parse_result_ttl, "0", "999ms", "1s, the least");
        edge(parse_delay, "85000d", "99999999d", "2262-01-01T00:00:00.000Z, the most");
        edge(number(bounds::MAX_ATTEMPTS), "1000000", "1000001", "from 1 to 1000000");
        edge(number(bounds::MAX_ATTEMPTS), "1", "0", "from 1 to 1000000");
        edge(duration(bounds::GRACE), "30d", "99999999999d", "30d, the most");
        edge(number(SLOTS), "10000", "10001", "from 1 to 10000");
        edge(number(SLOTS), "1", "0", "from 1 to 10000");
        edge(duration(ACK_WAIT), "1d", "1d1ms", "1d, the most");
        edge(duration(ACK_WAIT), "1s", "999ms", "1s, the least");
        edge(duration(RECONCILE_AFTER), "1d", "99999999999d", "1d, the most");
        edge(duration(RECONCILE_AFTER), "100ms", "99ms", "100ms, the least");
        edge(bytes(bounds::MEMORY_BYTES), "4G", "4097M", "64.0 KiB to 4.0 GiB");
        edge(bytes(bounds::MEMORY_BYTES), "64K", "0", "64.0 KiB to 4.0 GiB");
        edge(parse_memory_budget, "1000%", "1001%", "from 1 to 1000");
        edge(parse_memory_budget, "1%", "0%", "from 1 to 1000");
        edge(parse_memory_budget, "32M", "31M", "32.0 MiB to 1024.0 TiB");
        edge(bytes(LayoutConfig::STORAGE), "1024T", "1025T", "to 1024.0 TiB");
        edge(bytes(LayoutConfig::STORAGE), "7M", "0", "from 7.0 MiB");
        edge(number(LayoutConfig::REPLICAS), "5", "6", "from 1 to 5");
    }
}
