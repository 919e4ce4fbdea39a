//! R5: what became of a write whose answer told nothing, from what stands under the key. Pure; the reading is the adapter's.

use crate::record::{Record, StoredEntry, Token};

/// What became of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteResolution {
    /// It stands, or stood, with this revision.
    Landed(u64),
    /// It did not land and never will: something else stands. A record with the token of one's own new claim means that
    /// the claim landed and was written over since.
    Moved(StoredEntry),
    /// What it expects still stands: try again with the same write.
    Unchanged,
}

/// R5's questions to every writer, in its order.
#[must_use]
pub fn resolve_write(written: &Record, expected: u64, stored: StoredEntry) -> WriteResolution {
    match stored {
        StoredEntry::Record { record: found, revision } if found.write == written.write => {
            WriteResolution::Landed(revision)
        }
        StoredEntry::Record { record, revision } if record.is_terminal() => {
            WriteResolution::Moved(StoredEntry::Record { record, revision })
        }
        stored if stored.expected() == expected => WriteResolution::Unchanged,
        stored => WriteResolution::Moved(stored),
    }
}

/// R5's last question, which only an owner asks: the record and its revision where its claim still stands, with something
/// else written over it; none where it is fenced.
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
    use crate::machine::sample::forged;
    use crate::machine::sample::{at, started, token};
    use crate::record::{End, JobState, WriteId};

    fn running() -> Record {
        forged!(started(), write = WriteId::from_random(1))
    }

    fn ended(write: u128) -> Record {
        let stage = JobState::Ended { end: End::Revoked, finished_at: at(0) };
        forged!(started(), stage = stage, write = WriteId::from_random(write))
    }

    fn stands(record: &Record, revision: u64) -> StoredEntry {
        StoredEntry::Record { record: Box::new(record.clone()), revision }
    }

    #[test]
    fn the_questions_are_asked_in_the_protocols_order() {
        let wanted = ended(2);
        let running = running();
        let ended = ended(3);
        assert_eq!(resolve_write(&wanted, 5, stands(&wanted, 6)), WriteResolution::Landed(6));
        assert_eq!(
            resolve_write(&wanted, 5, stands(&ended, 5)),
            WriteResolution::Moved(stands(&ended, 5)),
            "terminal, at my revision"
        );
        assert_eq!(resolve_write(&wanted, 5, stands(&running, 5)), WriteResolution::Unchanged);
        assert_eq!(
            resolve_write(&wanted, 5, stands(&running, 7)),
            WriteResolution::Moved(stands(&running, 7))
        );
        assert_eq!(resolve_write(&wanted, 0, StoredEntry::Absent), WriteResolution::Unchanged);
        assert_eq!(
            resolve_write(&wanted, 5, StoredEntry::Absent),
            WriteResolution::Moved(StoredEntry::Absent)
        );
    }

    #[test]
    fn only_a_running_record_under_the_own_token_is_still_owned() {
        let running = running();
        let ended = ended(3);
        assert_eq!(still_owned(stands(&running, 7), token(1)), Some((Box::new(running.clone()), 7)));
        assert_eq!(still_owned(stands(&running, 7), token(2)), None);
        assert_eq!(still_owned(stands(&ended, 7), token(1)), None);
        assert_eq!(still_owned(StoredEntry::Newer { revision: 6, version: 2 }, token(1)), None);
        assert_eq!(still_owned(StoredEntry::Absent, token(1)), None);
    }
}
