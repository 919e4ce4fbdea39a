//! Merges what both connections receive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::capture::{Capture, Effect, Entry, Revision, Span};

/// Entries that are kept in memory. Later ones are dropped, and show as a gap.
const MAX_ENTRIES: usize = 2_000_000;

/// What was seen so far. All listeners share it.
#[derive(Debug)]
pub(super) struct Seen {
    all: Mutex<All>,
    changes: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct All {
    revisions: BTreeMap<u64, Revision>,
    /// Different copies of one number, which the audit has to see.
    contradictions: Vec<Revision>,
    effects: BTreeSet<Effect>,
    notes: Vec<Entry>,
    /// Numbers that the bucket no longer has.
    gone: BTreeSet<u64>,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { all: Mutex::default(), changes: watch::Sender::new(()) }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        // Each change is one insertion, so that a panic elsewhere leaves nothing half done.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, entry: Entry) {
        let mut all = self.all();
        let room = all.revisions.len() + all.effects.len() + all.notes.len() < MAX_ENTRIES;
        let new = room
            && match entry {
                Entry::Revision(revision) => all.revision(revision),
                Entry::Effect(effect) => all.effects.insert(effect),
                entry => {
                    all.notes.push(entry);
                    true
                }
            };
        drop(all);
        if new {
            self.changes.send_replace(());
        }
    }

    /// Wakes at everything that is new.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// The numbers of the span that were not seen and that the bucket may still have.
    pub(super) fn missing(&self, span: Span) -> Vec<u64> {
        let all = self.all();
        // What the bucket no longer has is asked for once, and not again after each reconnect.
        let seen = |number: &u64| all.revisions.contains_key(number) || all.gone.contains(number);
        (span.first..=span.last).filter(|number| !seen(number)).collect()
    }

    /// Notes that the bucket no longer has this number.
    pub(super) fn gone(&self, number: u64) {
        self.all().gone.insert(number);
    }

    /// Everything that was seen, followed by `last_entries`.
    pub(super) fn take(&self, last_entries: Vec<Entry>) -> Capture {
        let all = std::mem::take(&mut *self.all());
        let revisions = all.revisions.into_values().chain(all.contradictions).map(Entry::Revision);
        let effects = all.effects.into_iter().map(Entry::Effect);
        Capture {
            entries: all.notes.into_iter().chain(revisions).chain(effects).chain(last_entries).collect(),
        }
    }
}

impl All {
    /// Adds a revision. It returns whether that is new.
    fn revision(&mut self, revision: Revision) -> bool {
        let Some(known) = self.revisions.get_mut(&revision.revision) else {
            self.revisions.insert(revision.revision, revision);
            return true;
        };
        // A copy that was read from the bucket does not know the revision before it. That alone is no contradiction.
        if known.previous.is_none() {
            known.previous = revision.previous;
        }
        let revision = Revision { previous: revision.previous.or(known.previous), ..revision };
        if *known != revision && !self.contradictions.contains(&revision) {
            self.contradictions.push(revision);
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wasmhost_protocol::ids::JobKey;
    use wasmhost_protocol::timestamp::Timestamp;

    use super::*;

    fn revision(previous: Option<u64>, record: Value) -> Entry {
        let key = JobKey::parse("a.b.1").unwrap();
        let stored_at = Timestamp::from_unix_ms(0);
        Entry::Revision(Revision { key, revision: 2, previous, stored_at, record, marker: None })
    }

    fn merged(entries: &[Entry]) -> Vec<Entry> {
        let seen = Seen::new();
        entries.iter().for_each(|entry| seen.note(entry.clone()));
        seen.take(Vec::new()).entries
    }

    #[test]
    fn copies_become_one_that_knows_what_each_knows() {
        let read = revision(None, json!(1));
        let received = revision(Some(1), json!(1));
        for order in [[&read, &received, &received], [&received, &read, &read], [&read, &read, &received]] {
            assert_eq!(merged(&order.map(Clone::clone)), std::slice::from_ref(&received));
        }
    }

    #[test]
    fn copies_that_contradict_each_other_are_kept() {
        let one = revision(Some(1), json!(1));
        let other = revision(Some(1), json!(2));
        assert_eq!(merged(&[one.clone(), other.clone(), other.clone(), one.clone()]), [one, other]);
    }

    #[test]
    fn what_was_not_seen_is_missing_unless_it_is_gone() {
        let seen = Seen::new();
        seen.note(revision(None, json!(1)));
        seen.gone(4);
        assert_eq!(seen.missing(Span { first: 1, last: 5 }), [1, 3, 5]);
    }
}
