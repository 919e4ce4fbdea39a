//! What becomes of a fired message that the job stream has no copy of: somebody removed the copy, or the source could not
//! bring it.

use crate::record::{Marker, StoredEntry};
use crate::timestamp::Timestamp;

/// What becomes of a fired message without a copy in the job stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// Its job has ended: it goes.
    Over,
    /// Its job has not: the job stream gets it.
    Owed,
    /// Not to be told, as the record cannot be read.
    Unknown,
}

/// What tells how old a fired message is.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    /// When it fired.
    pub fired_at: Timestamp,
    /// When the bucket of records was made: one that was made anew has forgotten what fired before.
    pub bucket_created: Timestamp,
    /// The host's clock.
    pub now: Timestamp,
}

/// Judges what fired for the record of `revision`, if it names one, by what stands under its job's key.
#[must_use]
pub fn leftover(stored: &StoredEntry, revision: Option<u64>, ages: Ages) -> Leftover {
    let Ages { fired_at, bucket_created, now } = ages;
    let over = match stored {
        StoredEntry::Record { record, .. } => {
            record.is_terminal() || record.is_of_later_run_than(revision, fired_at)
        }
        StoredEntry::Deleted(marker) => match revision {
            Some(revision) => revision < marker.revision,
            None => fired_at < marker.at,
        },
        // Only ended records expire; one that the server lost in a crash is told by its message's youth.
        StoredEntry::Absent => {
            revision.is_some() && fired_at.plus(Marker::LIFE) < now && fired_at >= bucket_created
        }
        StoredEntry::Unreadable { .. } | StoredEntry::Newer { .. } => return Leftover::Unknown,
    };
    if over { Leftover::Over } else { Leftover::Owed }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::machine::sample::forged;
    use crate::machine::sample::{at, finish, started, success, token};
    use crate::machine::{WriteIntent, Writer, transition};
    use crate::record::Record;
    use crate::record::WriteId;

    const NOW: i64 = 1_000_000;

    /// What fired so many seconds ago.
    fn judged(stored: &StoredEntry, revision: Option<u64>, age: i64) -> Leftover {
        leftover(stored, revision, Ages { fired_at: at(NOW - age), bucket_created: at(0), now: at(NOW) })
    }

    fn stands(record: Record) -> StoredEntry {
        StoredEntry::Record { record: Box::new(record), revision: 7 }
    }

    #[test]
    fn a_job_that_has_not_ended_is_owed_its_message() {
        assert_eq!(judged(&stands(started()), Some(6), 60), Leftover::Owed);
        let writer = Writer::Owner(token(1));
        let intent = WriteIntent {
            transition: finish(success()),
            writer,
            now: at(200),
            write: WriteId::from_random(8),
        };
        let ended = transition(Some(&started()), &intent).unwrap();
        assert_eq!(judged(&stands(ended), Some(6), 60), Leftover::Over);
        let later = forged!(started(), after = Some(7), submitted_at = at(NOW - 30));
        assert_eq!(judged(&stands(later.clone()), Some(6), 60), Leftover::Over, "the id is used again");
        assert_eq!(judged(&stands(later.clone()), None, 60), Leftover::Over);
        assert_eq!(judged(&stands(later), Some(8), 60), Leftover::Owed);
    }

    #[test]
    fn without_a_record_only_what_is_young_or_never_had_one_is_owed() {
        let old = i64::try_from(Marker::LIFE.as_secs()).unwrap() + 1;
        assert_eq!(judged(&StoredEntry::Absent, Some(7), 60), Leftover::Owed);
        assert_eq!(judged(&StoredEntry::Absent, Some(7), old), Leftover::Over);
        assert_eq!(judged(&StoredEntry::Absent, None, old), Leftover::Owed);
        let ages = Ages { fired_at: at(NOW - old), bucket_created: at(NOW - 60), now: at(NOW) };
        assert_eq!(
            leftover(&StoredEntry::Absent, Some(7), ages),
            Leftover::Owed,
            "its record was lost with the bucket"
        );
    }

    #[test]
    fn where_the_record_is_gone_its_run_is_over() {
        let at = at(NOW).minus(Duration::from_secs(60));
        let marker = StoredEntry::Deleted(Marker { revision: 8, at, expired: true });
        assert_eq!(judged(&marker, Some(7), 0), Leftover::Over);
        assert_eq!(judged(&marker, Some(9), 0), Leftover::Owed, "a later run's");
        assert_eq!(judged(&marker, None, 120), Leftover::Over);
        assert_eq!(judged(&marker, None, 0), Leftover::Owed);
    }

    #[test]
    fn what_nobody_can_read_is_left_alone() {
        let unreadable = StoredEntry::Unreadable { revision: 1, why: String::new() };
        assert_eq!(judged(&unreadable, None, 0), Leftover::Unknown);
        assert_eq!(judged(&StoredEntry::Newer { revision: 1, version: 9 }, None, 0), Leftover::Unknown);
    }
}
