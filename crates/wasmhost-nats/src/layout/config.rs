//! Sizes of the streams and buckets that the first start makes.

use wasmhost_protocol::bounds::Bounds;

/// Sizes of what is made. Those of what exists are not compared, but replicas are, as a minimum.
#[derive(Debug, Clone, Copy)]
pub struct LayoutConfig {
    /// Copies of each stream in a cluster.
    pub replicas: usize,
    /// Bytes of queued jobs; a full stream refuses new ones.
    pub jobs_max_bytes: i64,
    /// Number of queued jobs.
    pub jobs_max_messages: i64,
    /// Bytes of scheduled jobs.
    pub schedules_max_bytes: i64,
    /// Bytes of logs; the oldest give way.
    pub logs_max_bytes: i64,
    /// Bytes of dead jobs; the oldest give way.
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
    /// What [`Self::within`] may be given: a seventh, the size of the smallest stream, holds a message of the largest size
    /// with room to spare; sizes are signed to the server, and no store of one is larger.
    pub const STORAGE: Bounds<u64> = Bounds { least: 7 << 20, most: 1 << 50 };
    /// Copies of a stream that a NATS cluster makes.
    pub const REPLICAS: Bounds<usize> = Bounds { least: 1, most: 5 };

    /// The defaults' proportions, within `bytes` in all. Records, modules and blobs are beside it: they expire, or are kept
    /// on purpose.
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
        let (default, within) = (LayoutConfig::default(), LayoutConfig::within(7 << 30));
        assert_eq!(within.jobs_max_bytes, default.jobs_max_bytes);
        assert_eq!(within.dead_max_bytes, default.dead_max_bytes);
    }
}
