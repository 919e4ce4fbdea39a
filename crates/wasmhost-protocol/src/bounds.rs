//! How little and how much may be asked for: of every duration, size, count and rate in a header, a policy or a request.
//! What is beside it is refused where it comes in, by a word that names the bound.

use std::time::Duration;

use crate::duration::format_duration;
use crate::timestamp::Timestamp;

/// Arguments as JSON text, in bytes.
pub(crate) const ARGUMENT_BYTES: usize = 512 << 10;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long a terminal record is kept. The server counts nanoseconds since 1970 in 64 bits: what would expire after the
/// year 2262 expires at once. Ten years end long before, and so does the time that a revoked job was still to wait.
pub const RESULT_TTL: Bounds<Duration> =
    Bounds { least: Duration::from_secs(1), most: DAY.saturating_mul(3650) };
/// Wall and CPU time of one attempt. Above it nothing overflows: an attempt that outlives every deploy and every server's
/// maintenance is no background job.
pub const ATTEMPT: Bounds<Duration> =
    Bounds { least: Duration::from_millis(1), most: DAY.saturating_mul(30) };
/// How long a revoked task may take to stop, and how long a drain waits: as long as an attempt may take.
pub const GRACE: Bounds<Duration> = Bounds { least: Duration::ZERO, most: ATTEMPT.most };
/// Points in time: when a job is queued, and after which none starts. The server counts nanoseconds in 64 bits, and fires at
/// once what is due after they overflow in April 2262.
pub const TIME: Bounds<Timestamp> =
    Bounds { least: Timestamp::EARLIEST, most: Timestamp::from_unix_ms(9_214_646_400_000) };
/// Attempts in all: one a second for eleven days. The counters of a record, 32 bits each, hold them and all that is not
/// charged.
pub const MAX_ATTEMPTS: Bounds<u32> = Bounds { least: 1, most: 1_000_000 };
/// The delay before a retry, whoever asks for it.
pub const RETRY_DELAY: Bounds<Duration> = Bounds { least: Duration::ZERO, most: DAY };
/// What each further delay is multiplied by: with a hundred the second retry may come after a hundred times the first one's.
pub const RETRY_FACTOR: Bounds<f64> = Bounds { least: 1.0, most: 100.0 };
/// Claims that may end without any outcome: each may have cost a host.
pub const MAX_LOST: Bounds<u32> = Bounds { least: 0, most: 1_000 };
/// Linear memory in bytes: one page, and all that a 32-bit guest can address.
pub const MEMORY_BYTES: Bounds<u64> = Bounds { least: 64 << 10, most: 4 << 30 };
/// Elements of all tables: eight bytes each of the host's memory.
pub const TABLE_ELEMENTS: Bounds<u64> = Bounds { least: 1, most: 10_000_000 };
/// Handles of resources: some hundred bytes each of the host's memory.
pub const HANDLES: Bounds<u32> = Bounds { least: 1, most: 1_000_000 };
/// Bytes of a result or a checkpoint: what the store of blobs takes as one.
pub const BLOB_BYTES: Bounds<u64> = Bounds { least: 1, most: 64 << 20 };
/// Bytes of a state's meta: beside it an inline result, an error with all its texts and the rest fit the largest record.
pub const META_BYTES: Bounds<u64> = Bounds { least: 2, most: 256 << 10 };
/// State updates a second: a write of the record each.
pub const UPDATES_PER_SECOND: Bounds<u32> = Bounds { least: 1, most: 1_000 };
/// Bytes of all names and values of a module's configuration: each version of the module carries it in the registry.
pub const CONFIG_BYTES: Bounds<u64> = Bounds { least: 0, most: 64 << 10 };

/// The least and the most of something; both may be asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds<T> {
    /// The least.
    pub least: T,
    /// The most.
    pub most: T,
}

/// A value beside its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutOfBounds {
    /// Too much.
    #[error("{found} is more than {most}, the most that may be asked for")]
    TooMuch {
        /// What was asked for.
        found: String,
        /// The most.
        most: String,
    },
    /// Too little.
    #[error("{found} is less than {least}, the least that may be asked for")]
    TooLittle {
        /// What was asked for.
        found: String,
        /// The least.
        least: String,
    },
}

/// What has bounds, as people write it.
pub trait Quantity: Copy + PartialOrd {
    /// The text.
    fn text(self) -> String;
}

impl<T: Quantity> Bounds<T> {
    /// The value, if it is within.
    pub fn hold(&self, value: T) -> Result<T, OutOfBounds> {
        if value < self.least {
            Err(OutOfBounds::TooLittle { found: value.text(), least: self.least.text() })
        } else if value <= self.most {
            Ok(value)
        } else {
            // What cannot be compared is no less wrong than what is too large.
            Err(OutOfBounds::TooMuch { found: value.text(), most: self.most.text() })
        }
    }

    /// The nearest value that is within.
    #[must_use]
    pub fn nearest(&self, value: T) -> T {
        if value < self.least {
            self.least
        } else if value <= self.most {
            value
        } else {
            self.most
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

/// Numbers are written as they are.
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
        let bounds = Bounds { least: 2_u32, most: 5 };
        assert_eq!((bounds.hold(2), bounds.hold(5)), (Ok(2), Ok(5)));
        assert_eq!(
            bounds.hold(6).unwrap_err().to_string(),
            "6 is more than 5, the most that may be asked for"
        );
        assert_eq!(
            bounds.hold(1).unwrap_err().to_string(),
            "1 is less than 2, the least that may be asked for"
        );
        assert_eq!((bounds.nearest(1), bounds.nearest(3), bounds.nearest(9)), (2, 3, 5));
    }

    #[test]
    fn what_is_no_number_is_not_within() {
        assert!(RETRY_FACTOR.hold(f64::NAN).is_err() && RETRY_FACTOR.hold(f64::INFINITY).is_err());
        assert!(RETRY_FACTOR.nearest(f64::NAN).is_finite());
    }

    #[test]
    fn nothing_that_is_kept_outlives_the_servers_clock() {
        let server_ends = Timestamp::from_unix_ms(i64::MAX / 1_000_000);
        let revoked_before_due = TIME.most.plus(crate::policy::Policy::default().result_ttl);
        assert!(revoked_before_due < server_ends, "{revoked_before_due}");
        let of_this_century = Timestamp::parse("2099-12-31T00:00:00Z").unwrap();
        assert!(of_this_century.plus(RESULT_TTL.most) < server_ends);
        assert_eq!(TIME.most.to_string(), "2262-01-01T00:00:00.000Z");
    }
}
