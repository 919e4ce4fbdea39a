//! Values of flags: sizes, queues with weights, times.

use std::str::FromStr;
use std::time::Duration;

use wasmhost_protocol::{QueueName, Timestamp, parse_duration};

/// Queues with their weights: `high:4,default:1`, where a weight may be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queues(pub(crate) Vec<(QueueName, u32)>);

impl Default for Queues {
    fn default() -> Self {
        Self(vec![(QueueName::default_queue(), 1)])
    }
}

impl FromStr for Queues {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut queues: Vec<(QueueName, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, weight) = part.trim().split_once(':').unwrap_or((part.trim(), "1"));
            let name = QueueName::parse(name).map_err(|error| error.to_string())?;
            let weight: u32 =
                weight.parse().ok().filter(|weight| (1..=1000).contains(weight)).ok_or_else(|| {
                    format!("the weight of queue `{name}` is not a number from 1 to 1000: write `{name}:4`")
                })?;
            if queues.iter().any(|(known, _)| *known == name) {
                return Err(format!("queue `{name}` is named twice"));
            }
            queues.push((name, weight));
        }
        Ok(Self(queues))
    }
}

/// A size in bytes: `512M`, `4GiB`, `1000000`; units are powers of 1024.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match text[digits..].trim_end_matches("iB").trim_end_matches('B') {
        "" => 0,
        "K" | "k" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(format!("size `{text}` is not like `512M` or `4G`")),
    };
    let number: u64 =
        text[..digits].parse().map_err(|_| format!("size `{text}` is not like `512M` or `4G`"))?;
    number.checked_mul(1 << unit).ok_or_else(|| format!("size `{text}` is too large"))
}

/// A number of slots.
pub(crate) fn parse_slots(text: &str) -> Result<u32, String> {
    let slots = text.parse().ok().filter(|slots| (1..=100_000).contains(slots));
    slots.ok_or_else(|| format!("`{}` is not a number from 1 to 100000", text.escape_debug()))
}

/// Copies of a stream: what a NATS cluster makes.
pub(crate) fn parse_replicas(text: &str) -> Result<usize, String> {
    let replicas = text.parse().ok().filter(|replicas| (1..=5).contains(replicas));
    replicas.ok_or_else(|| format!("`{}` is not a number from 1 to 5", text.escape_debug()))
}

/// The shortest grace of the reconciler, which looks about as often.
const SHORTEST_GRACE: Duration = Duration::from_millis(100);

/// The grace of the reconciler.
pub(crate) fn parse_reconcile_after(text: &str) -> Result<Duration, String> {
    let grace = parse_duration(text).map_err(|error| error.to_string())?;
    if grace < SHORTEST_GRACE {
        return Err(format!("`{}` is shorter than 100ms", text.escape_debug()));
    }
    Ok(grace)
}

/// A size as people read it.
pub(crate) fn format_bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{}.{} KiB", bytes >> 10, (bytes & 0x3ff) * 10 / 1024),
        _ => format!("{}.{} MiB", bytes >> 20, ((bytes >> 10) & 0x3ff) * 10 / 1024),
    }
}

/// A time, or how long from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct When(pub(crate) Timestamp);

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let from_now = parse_duration(text).map(|duration| wasmhost_nats::now().plus(duration));
        from_now.or_else(|_| Timestamp::parse(text)).map(Self).map_err(|_| {
            format!(
                "`{}` is neither a duration like `30s` nor a time like `2026-01-31T12:00:00Z`",
                text.escape_debug()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_read_with_their_weights() {
        let queues = Queues::from_str("high:4, default").unwrap();
        let expected =
            [("high", 4), ("default", 1)].map(|(name, weight)| (QueueName::parse(name).unwrap(), weight));
        assert_eq!(queues.0, expected);
        for bad in ["", "high:0", "high:x", "a,a", "High", "a,,b"] {
            assert!(Queues::from_str(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in
            [("0", 0), ("17", 17), ("2K", 2048), ("512M", 512 << 20), ("4GiB", 4 << 30), ("1TB", 1 << 40)]
        {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for bad in ["", "M", "1.5G", "-1", "1X", "99999999999999T"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
        assert_eq!(format_bytes(1536), "1.5 KiB");
        assert_eq!(format_bytes(3 << 20), "3.0 MiB");
    }

    #[test]
    fn the_reconcilers_grace_is_not_too_short() {
        assert_eq!(parse_reconcile_after("100ms"), Ok(SHORTEST_GRACE));
        assert!(parse_reconcile_after("99ms").is_err() && parse_reconcile_after("soon").is_err());
    }

    #[test]
    fn times_are_absolute_or_from_now() {
        let at = When::from_str("2026-01-31T12:00:00Z").unwrap();
        assert_eq!(at.0.to_string(), "2026-01-31T12:00:00.000Z");
        assert!(When::from_str("30s").is_ok());
        assert!(When::from_str("tomorrow").is_err());
    }
}
