//! Points in time.

use std::str::FromStr;

use wasmhost_protocol::bounds;
use wasmhost_protocol::duration::parse_duration;
use wasmhost_protocol::timestamp::Timestamp;

/// A point in time, given as such or as a duration from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct When(pub(crate) Timestamp);

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let from_now = parse_duration(text).map(|duration| wasmhost_nats::now().plus(duration));
        let at = from_now.or_else(|_| Timestamp::parse(text)).map_err(|_| {
            format!(
                "`{}` is neither a duration like `30s` nor a time like `2026-01-31T12:00:00Z`",
                text.escape_debug()
            )
        })?;
        bounds::TIME.check(at).map(Self).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_absolute_or_from_now() {
        let at = When::from_str("2026-01-31T12:00:00Z").unwrap();
        assert_eq!(at.0.to_string(), "2026-01-31T12:00:00.000Z");
        assert!(When::from_str("30s").is_ok());
        assert!(When::from_str("tomorrow").is_err());
        assert!(When::from_str("2262-01-01T00:00:00Z").is_ok());
        let late = When::from_str("99999999d").unwrap_err();
        assert!(late.ends_with("2262-01-01T00:00:00.000Z, the most that may be asked for"), "{late}");
    }
}
