//! Points in time, written as RFC 3339 in UTC with milliseconds. Nothing here reads a clock: the time is
//! always an argument.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::digits::{Ascii, put_decimal};

/// A `Timestamp` counts milliseconds since 1970-01-01T00:00:00Z and is written as `2026-01-31T12:00:00.000Z`.
/// It lies in the years 0 to 9999, because RFC 3339 writes a year with four digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// `InvalidTimestamp` reports a text that is not an RFC 3339 time with a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("time `{}` is not RFC 3339 with a zone, like `2026-01-31T12:00:00Z`", crate::text::escape(crate::text::truncate(.0, 80)))]
pub struct InvalidTimestamp(String);

/// The end of the year 9999, the last moment that a year of four digits can express.
const LATEST_MS: i64 = 253_402_300_799_999;
/// The beginning of the year 0, the first moment that a year of four digits can express.
const EARLIEST_MS: i64 = -62_167_219_200_000;

impl Timestamp {
    /// The earliest timestamp, the beginning of the year 0.
    pub const EARLIEST: Self = Self(EARLIEST_MS);

    /// Builds a timestamp from milliseconds since the Unix epoch, clamped to the years 0 to 9999.
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Self {
        if ms < EARLIEST_MS {
            Self(EARLIEST_MS)
        } else if ms > LATEST_MS {
            Self(LATEST_MS)
        } else {
            Self(ms)
        }
    }

    /// Returns the milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Writes the time. `time` itself leaves out a fraction that is zero, and this text always has three digits of it.
    fn digits(self) -> Ascii<24> {
        let (seconds, ms) = (self.0.div_euclid(1000), self.0.rem_euclid(1000));
        let at = OffsetDateTime::from_unix_timestamp(seconds).expect("clamped to years that can be written");
        let mut text = *b"0000-00-00T00:00:00.000Z";
        for (place, number) in [
            (0..4, at.year().unsigned_abs()),
            (5..7, u32::from(u8::from(at.month()))),
            (8..10, u32::from(at.day())),
            (11..13, u32::from(at.hour())),
            (14..16, u32::from(at.minute())),
            (17..19, u32::from(at.second())),
            (20..23, ms as u32),
        ] {
            put_decimal(&mut text[place], number);
        }
        Ascii::new(text)
    }

    /// Parses RFC 3339 with a zone. What is finer than a millisecond is cut.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidTimestamp(text.to_owned()))?;
        // Rounded down before 1970 too: truncation would move those times towards the epoch.
        let ms = parsed.unix_timestamp_nanos().div_euclid(1_000_000);
        Ok(Self::from_unix_ms(i64::try_from(ms).map_err(|_| InvalidTimestamp(text.to_owned()))?))
    }

    /// Returns this time plus `duration`, at most the end of the year 9999.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::from_unix_ms(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns this time minus `duration`, at least the beginning of the year 0.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self::from_unix_ms(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns how much later this time is than `earlier`, or zero where it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digits().as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        Self::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.digits().as_str())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back() {
        for text in [
            "2026-11-25T12:00:00.000Z",
            "1970-01-01T00:00:00.001Z",
            "9999-12-31T23:59:59.999Z",
            "0000-01-01T00:00:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "2028-02-29T09:08:07.060Z",
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Timestamp::parse("2026-01-01T01:00:00.1239+01:00").unwrap().to_string(),
            "2026-01-01T00:00:00.123Z"
        );
        for bad in ["", "2026-01-01", "2026-01-01T00:00:00", "yesterday"] {
            assert!(Timestamp::parse(bad).is_err(), "{bad}");
        }
    }
}
