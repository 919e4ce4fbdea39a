//! Tells a message whose job ended so long ago that nothing is stored of it from one whose record was lost.

use crate::record::Marker;
use crate::timestamp::Timestamp;

/// What is known of a message of whose job nothing is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnrecordedMessage {
    /// The revision that the message names in `Wasmhost-Revision`.
    pub(super) revision: Option<u64>,
    /// When the message was stored.
    pub(super) stored_at: Timestamp,
    /// When the states bucket was created.
    pub(super) bucket_created: Timestamp,
    /// The time of the host's clock.
    pub(super) now: Timestamp,
}

impl UnrecordedMessage {
    /// Returns whether the job ended so long ago that even the marker of its record is gone. Otherwise it still has to run.
    pub(super) fn has_long_ended(self) -> bool {
        // Only ended records expire, and a message that names a revision had a record. If the message is younger
        // than a marker lives, the server lost the record in a crash; if it is older than the bucket, the record
        // was lost with an earlier bucket.
        self.revision.is_some()
            && self.stored_at.plus(Marker::LIFE) < self.now
            && self.stored_at >= self.bucket_created
    }
}
