//! Decides what became of a write that was answered by a timeout, a disconnect or a conflict, from the entry
//! that was read since. Such a write has neither succeeded nor failed until the record is read
//! ([R5](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r5)).

use crate::record::{Record, StoredEntry, Token};

/// A `WriteResolution` is what became of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteResolution {
    /// The write was stored with this revision.
    Stored(u64),
    /// Another entry is stored, and the write will never be stored from now on. If the entry has the token of
    /// the writer's new claim and is not terminal, the claim was stored and something was written over it
    /// since.
    Superseded(StoredEntry),
    /// The revision that the write expects is still the newest: the writer tries again with the same write
    /// id.
    Unchanged,
}

/// Decides what became of `written`, which expected the revision `expected`, from the entry that is stored
/// now.
#[must_use]
pub fn resolve_write(written: &Record, expected: u64, stored: StoredEntry) -> WriteResolution {
    match stored {
        // The write id comes first. The revision alone cannot tell whose write made it.
        StoredEntry::Record { record: found, revision } if found.write == written.write => {
            WriteResolution::Stored(revision)
        }
        // This comes before any comparison of revisions and tokens: hosts and reconcilers end jobs under the
        // token of the last claim, and no end may be written over.
        StoredEntry::Record { record, revision } if record.is_terminal() => {
            WriteResolution::Superseded(StoredEntry::Record { record, revision })
        }
        stored if stored.expected() == expected => WriteResolution::Unchanged,
        stored => WriteResolution::Superseded(stored),
    }
}

/// Returns the record and its revision where the owner of `token` still owns the job, though something else
/// was written since. Returns `None` where the owner is fenced. Only an owner asks this, after
/// [`resolve_write`] has returned [`WriteResolution::Superseded`].
#[must_use]
pub fn still_owned(stored: StoredEntry, token: Token) -> Option<(Box<Record>, u64)> {
    match stored {
        StoredEntry::Record { record, revision } if !record.is_terminal() && record.token == Some(token) => {
            Some((record, revision))
        }
        StoredEntry::Record { .. }
        | StoredEntry::Absent
        | StoredEntry::Deleted(_)
        | StoredEntry::Unreadable { .. }
        | StoredEntry::Newer { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::sample::{at, forged, started, token};
    use crate::record::{End, JobState, WriteId};

    fn running() -> Record {
        forged!(started(), write = WriteId::from_random(1))
    }

    fn ended(write: u128) -> Record {
        let state = JobState::Ended { end: End::Revoked, finished_at: at(0) };
        forged!(started(), state = state, write = WriteId::from_random(write))
    }

    fn entry(record: &Record, revision: u64) -> StoredEntry {
        StoredEntry::Record { record: Box::new(record.clone()), revision }
    }

    #[test]
    fn the_questions_are_asked_in_the_protocols_order() {
        let wanted = ended(2);
        let running = running();
        let ended = ended(3);
        assert_eq!(resolve_write(&wanted, 5, entry(&wanted, 6)), WriteResolution::Stored(6));
        assert_eq!(
            resolve_write(&wanted, 5, entry(&ended, 5)),
            WriteResolution::Superseded(entry(&ended, 5)),
            "terminal, at my revision"
        );
        assert_eq!(resolve_write(&wanted, 5, entry(&running, 5)), WriteResolution::Unchanged);
        assert_eq!(
            resolve_write(&wanted, 5, entry(&running, 7)),
            WriteResolution::Superseded(entry(&running, 7))
        );
        assert_eq!(resolve_write(&wanted, 0, StoredEntry::Absent), WriteResolution::Unchanged);
        assert_eq!(
            resolve_write(&wanted, 5, StoredEntry::Absent),
            WriteResolution::Superseded(StoredEntry::Absent)
        );
    }

    #[test]
    fn only_a_running_record_under_the_own_token_is_still_owned() {
        let running = running();
        let ended = ended(3);
        assert_eq!(still_owned(entry(&running, 7), token(1)), Some((Box::new(running.clone()), 7)));
        assert_eq!(still_owned(entry(&running, 7), token(2)), None);
        assert_eq!(still_owned(entry(&ended, 7), token(1)), None);
        assert_eq!(still_owned(StoredEntry::Newer { revision: 6, version: 2 }, token(1)), None);
        assert_eq!(still_owned(StoredEntry::Absent, token(1)), None);
    }
}
