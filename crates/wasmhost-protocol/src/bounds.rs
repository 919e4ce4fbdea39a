//! The bounds of every duration, size, count and rate that a header, a policy or a request may ask for. A
//! value outside of its bounds is refused where it comes in, with an error that names the bound. What a
//! policy and a job may ask for is described as
//! [ceilings](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#ceilings).

use std::time::Duration;

use crate::duration::format_duration;
use crate::timestamp::Timestamp;

/// The maximum size in bytes of a job's arguments as JSON text.
pub(crate) const ARGUMENT_BYTES: usize = 512 << 10;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long a terminal record is kept. The server counts nanoseconds since 1970 in 64 bits, and a record that
/// would expire after April 2262 is deleted at once. Ten years from now end long before that, even where the
/// record of a revoked job is kept until the job would have been due.
pub const RESULT_TTL: Bounds<Duration> =
    Bounds { min: Duration::from_secs(1), max: DAY.saturating_mul(3650) };
/// The wall time and the processor time of one attempt. Nothing overflows above 30 days; an attempt that
/// outlives every deployment and every maintenance of the server is not a background job.
pub const ATTEMPT: Bounds<Duration> = Bounds { min: Duration::from_millis(1), max: DAY.saturating_mul(30) };
/// How long a revoked task may take to stop, and how long a drain waits for running attempts: at most as long
/// as an attempt may take.
pub const GRACE: Bounds<Duration> = Bounds { min: Duration::ZERO, max: ATTEMPT.max };
/// The times at which a delayed job is queued and after which no attempt starts. The server counts
/// nanoseconds in 64 bits and fires a schedule at once that is due after they overflow, in April 2262.
pub const TIME: Bounds<Timestamp> =
    Bounds { min: Timestamp::EARLIEST, max: Timestamp::from_unix_ms(9_214_646_400_000) };
/// The attempts of a job in all: a million is one a second for eleven days. The counters of a record have 32
/// bits each, which leaves room for the attempts that are not charged.
pub const MAX_ATTEMPTS: Bounds<u32> = Bounds { min: 1, max: 1_000_000 };
/// The delay before a retry, whoever asks for it: the task, the policy or the jitter.
pub const RETRY_DELAY: Bounds<Duration> = Bounds { min: Duration::ZERO, max: DAY };
/// The factor by which each further delay grows. With 100 the second retry already waits a hundred times as
/// long as the first.
pub const RETRY_FACTOR: Bounds<f64> = Bounds { min: 1.0, max: 100.0 };
/// The claims of a job that may end without any outcome. Each of them may have killed a host.
pub const MAX_LOST: Bounds<u32> = Bounds { min: 0, max: 1_000 };
/// The linear memory of an attempt in bytes: at least one page, at most all that a 32-bit guest can address.
pub const MEMORY_BYTES: Bounds<u64> = Bounds { min: 64 << 10, max: 4 << 30 };
/// The elements of all tables of an attempt. Each takes eight bytes of the host's memory.
pub const TABLE_ELEMENTS: Bounds<u64> = Bounds { min: 1, max: 10_000_000 };
/// The handles of resources that a guest may hold. Each takes some hundred bytes of the host's memory.
pub const HANDLES: Bounds<u32> = Bounds { min: 1, max: 1_000_000 };
/// The bytes of a result or a checkpoint: at most what the blob store takes as one object.
pub const BLOB_BYTES: Bounds<u64> = Bounds { min: 1, max: 64 << 20 };
/// The bytes of a state's meta. Together with an inline result, an error with all of its texts and all other
/// fields it fits into the largest record.
pub const META_BYTES: Bounds<u64> = Bounds { min: 2, max: 256 << 10 };
/// The state updates of an attempt in a second. Each is a write of the record.
pub const UPDATES_PER_SECOND: Bounds<u32> = Bounds { min: 1, max: 1_000 };
/// The bytes of all names and values of a module's configuration. Each version of the module in the registry
/// carries them.
pub const CONFIG_BYTES: Bounds<u64> = Bounds { min: 0, max: 64 << 10 };

/// `Bounds` are the minimum and the maximum of a quantity. Both are allowed themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds<T> {
    /// The smallest value that is allowed.
    pub min: T,
    /// The largest value that is allowed.
    pub max: T,
}

/// `OutOfBounds` reports a value that is outside of its bounds, with the bound that it passes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutOfBounds {
    /// The value is more than the maximum.
    #[error("{found} is more than {max}, the most that may be asked for")]
    TooMuch {
        /// The value as people write it.
        found: String,
        /// The maximum, as people write it.
        max: String,
    },
    /// The value is less than the minimum.
    #[error("{found} is less than {min}, the least that may be asked for")]
    TooLittle {
        /// The value as people write it.
        found: String,
        /// The minimum, as people write it.
        min: String,
    },
}

/// A `Quantity` can have bounds: it can be compared, and written in an error as people write it.
pub trait Quantity: Copy + PartialOrd {
    /// Returns the value as people write it.
    fn text(self) -> String;
}

impl<T: Quantity> Bounds<T> {
    /// Returns the value if it is within the bounds.
    pub fn check(&self, value: T) -> Result<T, OutOfBounds> {
        if value < self.min {
            Err(OutOfBounds::TooLittle { found: value.text(), min: self.min.text() })
        } else if value <= self.max {
            Ok(value)
        } else {
            // NaN is neither less nor more. It comes to this branch because the comparison before is the
            // positive one.
            Err(OutOfBounds::TooMuch { found: value.text(), max: self.max.text() })
        }
    }

    /// Returns the value if it is within the bounds, else the nearer bound.
    #[must_use]
    pub fn clamp(&self, value: T) -> T {
        if value < self.min {
            self.min
        } else if value <= self.max {
            value
        } else {
            // NaN is taken as the maximum, so that no stored policy stays without a number.
            self.max
        }
    }
}

impl Quantity for Duration {
    fn text(self) -> String {
        format_duration(self)
    }
}

impl Quantity for Timestamp {
    fn text(self) -> String {
        self.to_string()
    }
}

/// Implements [`Quantity`] for numbers, which are written as they are.
macro_rules! numbers {
    ($($number:ty)+) => {
        $(impl Quantity for $number {
            fn text(self) -> String {
                self.to_string()
            }
        })+
    };
}
numbers! { u32 u64 usize f64 }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_itself_is_within_and_the_next_value_is_not() {
        let bounds = Bounds { min: 2_u32, max: 5 };
        assert_eq!((bounds.check(2), bounds.check(5)), (Ok(2), Ok(5)));
        assert_eq!(
            bounds.check(6).unwrap_err().to_string(),
            "6 is more than 5, the most that may be asked for"
        );
        assert_eq!(
            bounds.check(1).unwrap_err().to_string(),
            "1 is less than 2, the least that may be asked for"
        );
        assert_eq!((bounds.clamp(1), bounds.clamp(3), bounds.clamp(9)), (2, 3, 5));
    }

    #[test]
    fn not_a_number_is_outside_of_its_bounds() {
        assert!(RETRY_FACTOR.check(f64::NAN).is_err() && RETRY_FACTOR.check(f64::INFINITY).is_err());
        assert!(RETRY_FACTOR.clamp(f64::NAN).is_finite());
    }

    #[test]
    fn no_record_outlives_the_servers_clock() {
        let server_ends = Timestamp::from_unix_ms(i64::MAX / 1_000_000);
        let revoked_before_due = TIME.max.plus(crate::policy::Policy::default().result_ttl);
        assert!(revoked_before_due < server_ends, "{revoked_before_due}");
        let of_this_century = Timestamp::parse("2099-12-31T00:00:00Z").unwrap();
        assert!(of_this_century.plus(RESULT_TTL.max) < server_ends);
        assert_eq!(TIME.max.to_string(), "2262-01-01T00:00:00.000Z");
    }
}
