//! All revisions by number, from whichever file or connection, and which numbers are missing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::Value;

use crate::capture::{Revision, Span};
use crate::report::Gap;

/// The revisions of the states bucket that the capture has.
#[derive(Debug, Default)]
pub(crate) struct Bucket<'a> {
    by_number: BTreeMap<u64, &'a Revision>,
    spans: Vec<Span>,
    /// Pairs of revisions with the same number and different content.
    pub(crate) contradictions: Vec<(&'a Revision, &'a Revision)>,
}

impl<'a> Bucket<'a> {
    /// Merges the revisions of several recordings.
    pub(crate) fn of(revisions: &[&'a Revision], spans: &[&Span]) -> Self {
        let mut bucket = Self { spans: spans.iter().map(|span| **span).collect(), ..Self::default() };
        for revision in revisions {
            bucket.add(revision);
        }
        bucket
    }

    fn add(&mut self, revision: &'a Revision) {
        match self.by_number.entry(revision.revision) {
            Entry::Vacant(vacant) => {
                vacant.insert(revision);
            }
            Entry::Occupied(mut occupied) => {
                if !is_same(occupied.get(), revision) {
                    self.contradictions.push((occupied.get(), revision));
                // Of two copies the one that knows the revision before it is of more use.
                } else if occupied.get().previous.is_none() {
                    occupied.insert(revision);
                }
            }
        }
    }

    /// All revisions in the order of their numbers.
    pub(crate) fn revisions(&self) -> impl Iterator<Item = &'a Revision> {
        self.by_number.values().copied()
    }

    /// The revision with this number.
    pub(crate) fn get(&self, number: u64) -> Option<&'a Revision> {
        self.by_number.get(&number).copied()
    }

    /// How many revisions there are.
    pub(crate) fn len(&self) -> usize {
        self.by_number.len()
    }

    /// Whether the capture has every number between the two.
    pub(crate) fn saw_all_between(&self, from: u64, to: u64) -> bool {
        // A range that ends before its start panics, and the numbers of a capture that was edited can be any.
        let seen = self.by_number.range(from.saturating_add(1)..to.max(from.saturating_add(1))).count();
        u64::try_from(seen).is_ok_and(|seen| seen == to.saturating_sub(from).saturating_sub(1))
    }

    /// The numbers that recorders say there were and that the capture lacks.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        if self.spans.is_empty() {
            return vec![Gap::NoSpan];
        }
        self.spans.iter().flat_map(|span| self.missing(*span)).collect()
    }

    fn missing(&self, Span { first, last }: Span) -> Vec<Gap> {
        // Where nothing was stored, `last` is just before `first`. It is smaller only where the numbers began again.
        if last.saturating_add(1) < first {
            return vec![Gap::Restarted { first, last }];
        }
        let mut gaps = Vec::new();
        let mut wanted = first;
        if first <= last {
            // The range of a span in which nothing was stored would end before its start, and panic.
            for &number in self.by_number.range(first..=last).map(|(number, _)| number) {
                if number > wanted {
                    gaps.push(Gap::Unseen { first: wanted, last: number - 1 });
                }
                wanted = number + 1;
            }
        }
        if wanted <= last {
            gaps.push(Gap::Unseen { first: wanted, last });
        }
        gaps
    }
}

/// Whether both describe the same revision. One of them may not know which revision came before.
fn is_same(one: &Revision, other: &Revision) -> bool {
    // The times are not compared: where the server names none, each recorder notes its own.
    let agree = match (one.previous, other.previous) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    };
    let value = |revision: &'_ Revision| match revision.marker {
        // The value of a marker has no meaning.
        Some(_) => Value::Null,
        None => revision.record.clone(),
    };
    agree && one.key == other.key && one.marker == other.marker && value(one) == value(other)
}
