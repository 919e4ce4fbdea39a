//! Values of flags: sizes, queues with weights, times.

mod bounded;

use std::str::FromStr;

use wasmhost_host::bounds::{QUEUES, WEIGHT};
use wasmhost_protocol::bounds;
use wasmhost_protocol::duration::parse_duration;
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::timestamp::Timestamp;

pub(crate) use bounded::{
    bytes, duration, number, parse_ack_wait, parse_attempts, parse_delay, parse_grace, parse_memory,
    parse_memory_limit, parse_reconcile_after, parse_replicas, parse_result_ttl, parse_slots, parse_storage,
    parse_timeout,
};

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
            let weight = weight.parse().ok().and_then(|weight| WEIGHT.hold(weight).ok()).ok_or_else(|| {
                let (least, most) = (WEIGHT.least, WEIGHT.most);
                format!(
                    "the weight of queue `{name}` is not a number from {least} to {most}: write `{name}:4`"
                )
            })?;
            if queues.iter().any(|(known, _)| *known == name) {
                return Err(format!("queue `{name}` is named twice"));
            }
            queues.push((name, weight));
        }
        QUEUES.hold(queues.len()).map_err(|error| format!("number of queues: {error}"))?;
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

/// A size as people read it.
pub(crate) fn format_bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{}.{} KiB", bytes >> 10, (bytes & 0x3ff) * 10 / 1024),
        0x10_0000..0x4000_0000 => format!("{}.{} MiB", bytes >> 20, ((bytes >> 10) & 0x3ff) * 10 / 1024),
        0x4000_0000..0x100_0000_0000 => {
            format!("{}.{} GiB", bytes >> 30, ((bytes >> 20) & 0x3ff) * 10 / 1024)
        }
        _ => format!("{}.{} TiB", bytes >> 40, ((bytes >> 30) & 0x3ff) * 10 / 1024),
    }
}

/// A time, or how long from now.
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
        bounds::TIME.hold(at).map(Self).map_err(|error| error.to_string())
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
        let many = |count| (0..count).map(|number| format!("q{number}:1000")).collect::<Vec<_>>().join(",");
        assert_eq!(Queues::from_str(&many(256)).unwrap().0.len(), 256);
        assert!(Queues::from_str(&many(257)).unwrap_err().contains("256, the most"));
        for bad in ["", "high:0", "high:1001", "high:x", "a,a", "High", "a,,b"] {
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
        assert_eq!((format_bytes(3 << 29), format_bytes(1 << 40)), ("1.5 GiB".into(), "1.0 TiB".into()));
    }

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
