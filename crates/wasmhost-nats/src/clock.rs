//! The one function that reads the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmhost_protocol::timestamp::Timestamp;

use crate::fault;

/// The time now, by this machine's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one clock function")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_unix_ms(ms.saturating_add(fault::clock_ahead_ms()))
}

/// A time of the server's, cut to milliseconds.
pub(crate) fn timestamp(time: time::OffsetDateTime) -> Timestamp {
    let ms = time.unix_timestamp_nanos().div_euclid(1_000_000);
    Timestamp::from_unix_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}
