//! The stored entry of a job: what a read of its key in the states bucket finds, and the revision that the
//! next write must expect.

use std::time::Duration;

use crate::record::fields::Record;
use crate::timestamp::Timestamp;

/// A `Marker` is a delete marker in the place of a record that was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// The marker's own revision.
    pub revision: u64,
    /// When the marker was written.
    pub at: Timestamp,
    /// Whether the server wrote the marker because the record's time to live ended (reason `MaxAge`).
    /// Otherwise somebody deleted the record.
    pub expired: bool,
}

impl Marker {
    /// A delete marker of the server or of a client lives for this long.
    pub const LIFE: Duration = Duration::from_secs(3600);
}

/// A `StoredEntry` is what a read of a job's key finds.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredEntry {
    /// There is nothing under the key.
    Absent,
    /// There is a delete marker under the key.
    Deleted(Marker),
    /// There is a record under the key.
    Record {
        /// The record.
        record: Box<Record>,
        /// The revision of the record.
        revision: u64,
    },
    /// There is a value under the key that is not a record of this job. It is never written over: only a
    /// person can say what it is.
    Unreadable {
        /// The revision of the value.
        revision: u64,
        /// What is wrong with the value.
        why: String,
    },
    /// There is a record of a version that only newer hosts read. It is never written over: this version
    /// could destroy what the newer host knows.
    Newer {
        /// The revision of the record.
        revision: u64,
        /// The version of the record.
        version: u32,
    },
}

impl StoredEntry {
    /// Returns the record, where there is one that this version can read.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Record { record, .. } => Some(record),
            Self::Absent | Self::Deleted(_) | Self::Unreadable { .. } | Self::Newer { .. } => None,
        }
    }

    /// Returns the revision that the next write must expect: 0 where nothing is stored, else the revision of
    /// the marker, the record or the value.
    #[must_use]
    pub fn expected(&self) -> u64 {
        match self {
            Self::Absent => 0,
            // While a marker exists, the server refuses a write that expects revision 0.
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
    fn a_write_expects_the_revision_that_is_stored() {
        let marker = Marker { revision: 7, at: Timestamp::from_unix_ms(0), expired: true };
        assert_eq!(StoredEntry::Absent.expected(), 0);
        assert_eq!(StoredEntry::Deleted(marker).expected(), 7);
        assert_eq!(StoredEntry::Unreadable { revision: 8, why: "not JSON".to_owned() }.expected(), 8);
        assert_eq!(StoredEntry::Newer { revision: 9, version: 2 }.expected(), 9);
    }
}
