//! What stands under a job's key, as read from the states bucket, and the revision that the next write must expect.

use std::time::Duration;

use crate::record::fields::Record;
use crate::timestamp::Timestamp;

/// A delete marker where a record was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// The marker's own revision.
    pub revision: u64,
    /// When it was written.
    pub at: Timestamp,
    /// Whether the record's time to live ended (reason `MaxAge`); else somebody deleted it.
    pub expired: bool,
}

impl Marker {
    /// How long the server and clients keep a delete marker.
    pub const LIFE: Duration = Duration::from_secs(3600);
}

/// What stands under a job's key.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredEntry {
    /// Nothing.
    Absent,
    /// A delete marker.
    Deleted(Marker),
    /// A record.
    Record {
        /// The record.
        record: Box<Record>,
        /// Its revision.
        revision: u64,
    },
    /// Something that is no record of this job; never overwritten.
    Unreadable {
        /// Its revision.
        revision: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A record of a version that only newer hosts read; never overwritten.
    Newer {
        /// Its revision.
        revision: u64,
        /// Its version.
        version: u32,
    },
}

impl StoredEntry {
    /// The record, where there is one that can be read.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Record { record, .. } => Some(record),
            Self::Absent | Self::Deleted(_) | Self::Unreadable { .. } | Self::Newer { .. } => None,
        }
    }

    /// The revision that the next write must expect: 0 when absent, a delete marker's own where one stands.
    #[must_use]
    pub fn expected(&self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Deleted(marker) => marker.revision,
            Self::Record { revision, .. }
            | Self::Unreadable { revision, .. }
            | Self::Newer { revision, .. } => *revision,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_expects_what_stands() {
        let marker = Marker { revision: 7, at: Timestamp::from_unix_ms(0), expired: true };
        assert_eq!(StoredEntry::Absent.expected(), 0);
        assert_eq!(StoredEntry::Deleted(marker).expected(), 7);
        assert_eq!(StoredEntry::Unreadable { revision: 8, why: "not JSON".to_owned() }.expected(), 8);
        assert_eq!(StoredEntry::Newer { revision: 9, version: 2 }.expected(), 9);
    }
}
