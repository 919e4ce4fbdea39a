//! Abstract time as real timestamps. All that a decision reads of a time is its order to another one, so a few values do:
//! *now* stands still, what lies ahead of it is in the future until a step of the server moves it into the past, and
//! what the server stamps is counted in writes to the key.

use std::time::Duration;

use crate::policy::Policy;
use crate::timestamp::Timestamp;

/// Every clock, always.
pub(super) fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_000_000_000)
}

/// A `not_before` or `expires_at` that has not come, and the later of two times to stop.
pub(super) fn ahead() -> Timestamp {
    now().plus(Duration::from_secs(100))
}

/// The earlier of two times to stop.
pub(super) fn soon() -> Timestamp {
    now().plus(Duration::from_secs(50))
}

/// One that has passed.
pub(super) fn passed() -> Timestamp {
    now().minus(Duration::from_secs(100))
}

/// How long a record lives that an attempt ended.
pub(super) const RESULT_TTL: Duration = Duration::from_secs(24 * 3600);

/// When write number `write` to the key landed.
pub(super) fn written(write: u8) -> Timestamp {
    Timestamp::from_unix_ms(i64::from(write) * 1000)
}

/// When a message was stored that came after write number `born` and before the next.
pub(super) fn stored(born: u8) -> Timestamp {
    Timestamp::from_unix_ms(i64::from(born) * 1000 + 500)
}

/// When a client asked for the time, after write number `writes` and before the next.
pub(super) fn submitted(writes: u8) -> Timestamp {
    Timestamp::from_unix_ms(i64::from(writes) * 1000 + 700)
}

/// When the record of write number `ended` expired. `brief`: it was one of a job that never ran.
pub(super) fn expired(ended: u8, brief: bool) -> Timestamp {
    written(ended).plus(if brief { Policy::NEVER_RAN_TTL } else { RESULT_TTL })
}
