//! Abstract time as real timestamps. A decision reads nothing of a time but its order to another one, so that
//! a few values suffice. The clocks of all participants stand still; what lies ahead of them is in the future
//! until a step of the server moves it into the past. The times that the server stamps are counted in writes
//! to the key.

use std::time::Duration;

use crate::policy::Policy;
use crate::timestamp::Timestamp;

/// Returns the time of every clock, at every moment.
pub(super) fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_000_000_000)
}

/// Returns a `not_before` or `expires_at` that lies in the future, which is also the later of two times to
/// stop.
pub(super) fn ahead() -> Timestamp {
    now().plus(Duration::from_secs(100))
}

/// Returns the earlier of two times to stop.
pub(super) fn soon() -> Timestamp {
    now().plus(Duration::from_secs(50))
}

/// Returns a `not_before` or `expires_at` that has passed.
pub(super) fn passed() -> Timestamp {
    now().minus(Duration::from_secs(100))
}

/// The record of a job that an attempt ended is kept for this long.
pub(super) const RESULT_TTL: Duration = Duration::from_secs(24 * 3600);

/// Returns when write number `write` to the key was stored.
pub(super) fn written(write: u8) -> Timestamp {
    Timestamp::from_unix_ms(i64::from(write) * 1000)
}

/// Returns when a message was stored that came after write number `writes` and before the next one.
pub(super) fn stored(writes: u8) -> Timestamp {
    Timestamp::from_unix_ms(i64::from(writes) * 1000 + 500)
}

/// Returns when a client read its clock after write number `writes` and before the next one.
pub(super) fn submitted(writes: u8) -> Timestamp {
    Timestamp::from_unix_ms(i64::from(writes) * 1000 + 700)
}

/// Returns when the record of write number `ended` expired. The record of a job that never ran is
/// short-lived.
pub(super) fn expired(ended: u8, short_lived: bool) -> Timestamp {
    written(ended).plus(if short_lived { Policy::NEVER_RAN_TTL } else { RESULT_TTL })
}
