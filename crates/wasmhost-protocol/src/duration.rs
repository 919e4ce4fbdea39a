//! Durations in the form that people write: `30s`, `1m30s`, `250ms`, `24h`, `7d`.

use std::time::Duration;

/// `InvalidDuration` reports a text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("duration `{}` is not like `30s`, `1m30s`, `250ms` or `24h`", crate::text::escape(crate::text::truncate(.0, 80)))]
pub struct InvalidDuration(String);

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Parses one or more whole numbers in a row, each with the unit `ms`, `s`, `m`, `h` or `d`. `0` needs no
/// unit. A duration of more milliseconds than 64 bits hold is refused.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration(text.to_owned());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total_ms = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_lowercase).count();
        let number: u64 = rest[..digits].parse().map_err(|_| invalid())?;
        let unit = &rest[digits..digits + letters];
        let (_, ms) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
        // A stranger's header may ask for more than 64 bits hold; that must not wrap around to something
        // small.
        total_ms = number.checked_mul(*ms).and_then(|ms| total_ms.checked_add(ms)).ok_or_else(invalid)?;
        rest = &rest[digits + letters..];
    }
    if text.is_empty() { Err(invalid()) } else { Ok(Duration::from_millis(total_ms)) }
}

/// Writes a duration in the form that [`parse_duration`] reads. Fractions of a millisecond are cut.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if ms == 0 {
        return "0".to_owned();
    }
    let mut text = String::new();
    for (name, unit_ms) in UNITS.iter().rev() {
        if ms >= *unit_ms {
            text.push_str(&format!("{}{name}", ms / unit_ms));
            ms %= unit_ms;
        }
    }
    text
}

/// Serialises a duration as text; for `#[serde(with = "as_text")]`.
pub(crate) mod as_text {
    use super::{Duration, format_duration, parse_duration};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        parse_duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Serialises a duration that may be absent, as text or `null`; for `#[serde(with = "as_optional_text")]`.
pub(crate) mod as_optional_text {
    use super::{Duration, format_duration, parse_duration};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(format_duration).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parse_duration(&text).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back() {
        for (text, ms) in [("0", 0), ("250ms", 250), ("30s", 30_000), ("1m30s", 90_000), ("24h", 86_400_000)]
        {
            assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(ms));
            assert_eq!(
                parse_duration(&format_duration(Duration::from_millis(ms))).unwrap().as_millis(),
                u128::from(ms)
            );
        }
        for bad in ["", "30", "s", "-1s", "1.5s", "1 s", "1w", "99999999999999999999s", "1S"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
