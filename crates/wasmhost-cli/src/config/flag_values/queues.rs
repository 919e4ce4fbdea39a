//! The queues of a host, with their weights.

use std::str::FromStr;

use wasmhost_host::bounds::{QUEUES, WEIGHT};
use wasmhost_protocol::ids::QueueName;

/// Queues with their weights, such as `high:4,default:1`. A weight that is left out is 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queues(pub(crate) Vec<(QueueName, u32)>);

impl FromStr for Queues {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut queues: Vec<(QueueName, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, weight) = part.trim().split_once(':').unwrap_or((part.trim(), "1"));
            let name = QueueName::parse(name).map_err(|error| error.to_string())?;
            let weight = parse_weight(&name, weight)?;
            if queues.iter().any(|(known, _)| *known == name) {
                return Err(format!("queue `{name}` is named twice"));
            }
            queues.push((name, weight));
        }
        QUEUES.check(queues.len()).map_err(|error| format!("number of queues: {error}"))?;
        Ok(Self(queues))
    }
}

fn parse_weight(name: &QueueName, text: &str) -> Result<u32, String> {
    let weight = text.parse().ok().and_then(|weight| WEIGHT.check(weight).ok());
    weight.ok_or_else(|| {
        let min = WEIGHT.min;
        let max = WEIGHT.max;
        format!("the weight of queue `{name}` is not a number from {min} to {max}: write `{name}:4`")
    })
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
}
