//! The sizes of the streams and buckets that the first start makes.

use wasmhost_protocol::bounds::Bounds;

/// The sizes of the streams that are made. Those of streams that exist are not compared; their replicas are, as a
/// minimum.
#[derive(Debug, Clone, Copy)]
pub struct LayoutConfig {
    /// How many servers of a cluster have a copy of each stream.
    pub replicas: usize,
    /// The most bytes of queued jobs. A full stream refuses new ones.
    pub jobs_max_bytes: i64,
    /// The most queued jobs.
    pub jobs_max_messages: i64,
    /// The most bytes of schedules and due messages.
    pub schedules_max_bytes: i64,
    /// The most bytes of logs. The oldest give way.
    pub logs_max_bytes: i64,
    /// The most bytes of dead-letter copies. The oldest give way.
    pub dead_max_bytes: i64,
}

impl Default for LayoutConfig {
    fn default() -> Self {
        Self {
            replicas: 1,
            jobs_max_bytes: 4 << 30,
            jobs_max_messages: 10_000_000,
            schedules_max_bytes: 1 << 30,
            logs_max_bytes: 1 << 30,
            dead_max_bytes: 1 << 30,
        }
    }
}

impl LayoutConfig {
    /// The bytes that [`Self::within`] may be given. With the least, the smallest stream gets 1 MiB, in which a message
    /// of the largest size has room; with the most, no sum of sizes comes near the largest number that the server
    /// counts with.
    pub const STORAGE: Bounds<u64> = Bounds { min: 7 << 20, max: 1 << 50 };
    /// The numbers of replicas that a NATS cluster can have of a stream.
    pub const REPLICAS: Bounds<usize> = Bounds { min: 1, max: 5 };

    /// Shares `bytes` between the streams in the proportions of the defaults. Records, modules and blobs come on top:
    /// they expire, or are kept on purpose.
    #[must_use]
    pub fn within(bytes: u64) -> Self {
        let seventh = i64::try_from(bytes / 7).unwrap_or(i64::MAX);
        Self {
            jobs_max_bytes: seventh.saturating_mul(4),
            schedules_max_bytes: seventh,
            logs_max_bytes: seventh,
            dead_max_bytes: seventh,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_shared_as_the_defaults_are() {
        let default = LayoutConfig::default();
        let within = LayoutConfig::within(7 << 30);
        assert_eq!(within.jobs_max_bytes, default.jobs_max_bytes);
        assert_eq!(within.dead_max_bytes, default.dead_max_bytes);
    }
}
