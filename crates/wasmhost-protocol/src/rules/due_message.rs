//! Decides what a reconciler does with a due message of which the job stream has no copy: somebody removed
//! the copy, or the source of the job stream could not take the message
//! ([R13](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r13-fired)).

use super::long_ended::UnrecordedMessage;
use crate::record::StoredEntry;
use crate::timestamp::Timestamp;

/// What the reconciler does with a due message that has no copy in the job stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueMessageDecision {
    /// The message is deleted: its job has ended, or it belongs to an earlier use of the id.
    Delete,
    /// The message is published to the job stream and then deleted: its job still needs it.
    Publish,
    /// The message is left alone: this version cannot read the record.
    Leave,
}

/// The times that tell whether a due message without a record is older than any record could be.
#[derive(Debug, Clone, Copy)]
pub struct DueMessageTimes {
    /// When the schedule fired and the message was stored.
    pub fired_at: Timestamp,
    /// When the states bucket was created.
    pub bucket_created: Timestamp,
    /// The time of the host's clock.
    pub now: Timestamp,
}

/// Decides what happens to a due message, given the stored entry of its job and the revision that the message
/// names in `Wasmhost-Revision`, if any.
#[must_use]
pub fn decide_due_message(
    stored: &StoredEntry,
    revision: Option<u64>,
    times: DueMessageTimes,
) -> DueMessageDecision {
    let DueMessageTimes { fired_at, bucket_created, now } = times;
    let has_ended = match stored {
        StoredEntry::Record { record, .. } => {
            record.is_terminal() || record.is_of_later_run_than(revision, fired_at)
        }
        // A message of a later use of the id is newer than the marker, by its revision or by the time at
        // which it fired. A claim in doubt lets a message without a revision run. This one was due while the
        // record that the marker replaces was stored, or before, so that its job would run a second time.
        StoredEntry::Deleted(marker) => match revision {
            Some(revision) => revision < marker.revision,
            None => fired_at < marker.at,
        },
        StoredEntry::Absent => {
            UnrecordedMessage { revision, stored_at: fired_at, bucket_created, now }.has_long_ended()
        }
        // Nobody but a newer host, or a person, can say whether the job has ended.
        StoredEntry::Unreadable { .. } | StoredEntry::Newer { .. } => return DueMessageDecision::Leave,
    };
    if has_ended { DueMessageDecision::Delete } else { DueMessageDecision::Publish }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::machine::sample::{at, finish, forged, started, success, token};
    use crate::machine::{WriteIntent, Writer, transition};
    use crate::record::{Marker, Record, WriteId};

    const NOW: i64 = 1_000_000;

    /// Decides about a message that fired `age` seconds ago.
    fn decide(entry: &StoredEntry, revision: Option<u64>, age: i64) -> DueMessageDecision {
        decide_due_message(
            entry,
            revision,
            DueMessageTimes { fired_at: at(NOW - age), bucket_created: at(0), now: at(NOW) },
        )
    }

    fn stored(record: Record) -> StoredEntry {
        StoredEntry::Record { record: Box::new(record), revision: 7 }
    }

    #[test]
    fn a_job_that_has_not_ended_gets_its_due_message() {
        assert_eq!(decide(&stored(started()), Some(6), 60), DueMessageDecision::Publish);
        let writer = Writer::Owner(token(1));
        let intent = WriteIntent {
            transition: finish(success()),
            writer,
            now: at(200),
            write: WriteId::from_random(8),
        };
        let ended = transition(Some(&started()), &intent).unwrap();
        assert_eq!(decide(&stored(ended), Some(6), 60), DueMessageDecision::Delete);
        let later = forged!(started(), after = Some(7), submitted_at = at(NOW - 30));
        assert_eq!(
            decide(&stored(later.clone()), Some(6), 60),
            DueMessageDecision::Delete,
            "the id is used again"
        );
        assert_eq!(decide(&stored(later.clone()), None, 60), DueMessageDecision::Delete);
        assert_eq!(decide(&stored(later), Some(8), 60), DueMessageDecision::Publish);
    }

    #[test]
    fn without_a_record_only_a_young_or_raw_due_message_is_published() {
        let old = i64::try_from(Marker::LIFE.as_secs()).unwrap() + 1;
        assert_eq!(decide(&StoredEntry::Absent, Some(7), 60), DueMessageDecision::Publish);
        assert_eq!(decide(&StoredEntry::Absent, Some(7), old), DueMessageDecision::Delete);
        assert_eq!(decide(&StoredEntry::Absent, None, old), DueMessageDecision::Publish);
        let times = DueMessageTimes { fired_at: at(NOW - old), bucket_created: at(NOW - 60), now: at(NOW) };
        assert_eq!(
            decide_due_message(&StoredEntry::Absent, Some(7), times),
            DueMessageDecision::Publish,
            "its record was lost with the bucket"
        );
    }

    #[test]
    fn a_due_message_that_is_older_than_a_marker_is_deleted() {
        let at = at(NOW).minus(Duration::from_secs(60));
        let marker = StoredEntry::Deleted(Marker { revision: 8, at, expired: true });
        assert_eq!(decide(&marker, Some(7), 0), DueMessageDecision::Delete);
        assert_eq!(decide(&marker, Some(9), 0), DueMessageDecision::Publish, "a later run's");
        assert_eq!(decide(&marker, None, 120), DueMessageDecision::Delete);
        assert_eq!(decide(&marker, None, 0), DueMessageDecision::Publish);
    }

    #[test]
    fn a_due_message_is_left_alone_where_its_record_cannot_be_read() {
        let unreadable = StoredEntry::Unreadable { revision: 1, why: String::new() };
        assert_eq!(decide(&unreadable, None, 0), DueMessageDecision::Leave);
        assert_eq!(
            decide(&StoredEntry::Newer { revision: 1, version: 9 }, None, 0),
            DueMessageDecision::Leave
        );
    }
}
