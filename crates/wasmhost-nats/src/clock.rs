//! The one function that reads the machine's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmhost_protocol::timestamp::Timestamp;

use crate::fault;

/// Reads the time now from this machine's clock, cut to milliseconds.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one clock function")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_unix_ms(ms.saturating_add(fault::clock_ahead_ms()))
}
