//! The jobs that have not ended, as far as the bucket was read, and those among them that were seen without a message. Pure: the
//! times are arguments.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::time::Duration;

use tokio::time::Instant;
use wasmhost_nats::Revision;

/// The most jobs that are remembered, each with about a hundred bytes.
const MAX_REMEMBERED: usize = 4_000_000;

/// The jobs that have not ended. Of each its key's hash is remembered, which takes less memory than the key.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    by_revision: BTreeMap<u64, Job>,
    newest_of: HashMap<u64, u64>,
    keys: RandomState,
    /// The revision at which looking goes on.
    look_from: u64,
}

#[derive(Debug, Clone, Copy)]
struct Job {
    key_hash: u64,
    /// When the job was first seen without a message with this revision of its record.
    missing_since: Option<Instant>,
    /// Whether the dead letters have a note of it already.
    has_dead_letter: bool,
}

/// The times by which a scan decides.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScanTimes {
    pub(super) scan_started: Instant,
    pub(super) now: Instant,
    /// How long a job must have been without a message.
    pub(super) grace: Duration,
}

impl Unfinished {
    pub(super) fn len(&self) -> usize {
        self.by_revision.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= MAX_REMEMBERED
    }

    /// Takes over a revision that was read: it takes the place of an earlier one of its job.
    pub(super) fn read(&mut self, revision: &Revision) {
        let key_hash = self.keys.hash_one(&revision.key);
        if let Some(earlier) = self.newest_of.remove(&key_hash) {
            self.by_revision.remove(&earlier);
        }
        if !revision.is_terminal {
            self.newest_of.insert(key_hash, revision.number);
            let job = Job { key_hash, missing_since: None, has_dead_letter: false };
            self.by_revision.insert(revision.number, job);
        }
    }

    /// Returns the next revisions to look at, in turn, of those up to `newest`.
    pub(super) fn next_to_look_at(&mut self, count: usize, newest: u64) -> Vec<u64> {
        if self.look_from > newest {
            self.look_from = 0;
        }
        let next: Vec<_> =
            self.by_revision.range(self.look_from..=newest).map(|(number, _)| *number).take(count).collect();
        self.look_from = if next.len() < count { 0 } else { next.last().map_or(0, |last| last + 1) };
        next
    }

    /// Takes note of a job that was seen without a message. Returns whether it was first seen like this a grace before the scan
    /// started.
    pub(super) fn note_missing(&mut self, revision: u64, times: &ScanTimes) -> bool {
        let Some(job) = self.by_revision.get_mut(&revision) else { return false };
        let since = *job.missing_since.get_or_insert(times.now);
        times.scan_started.saturating_duration_since(since) >= times.grace
    }

    /// Takes note of a job that has a message, or needs none yet.
    pub(super) fn note_well(&mut self, revision: u64) {
        if let Some(job) = self.by_revision.get_mut(&revision) {
            job.missing_since = None;
        }
    }

    /// Returns whether the dead letters have a note of the job.
    pub(super) fn has_dead_letter(&self, revision: u64) -> bool {
        self.by_revision.get(&revision).is_some_and(|job| job.has_dead_letter)
    }

    /// Takes note of a job that could not be ended, and of whether the dead letters have a note of it.
    pub(super) fn keep(&mut self, revision: u64, has_dead_letter: bool) {
        if let Some(job) = self.by_revision.get_mut(&revision) {
            job.has_dead_letter = has_dead_letter;
        }
    }

    /// Forgets a job whose record is another by now. What was written is read as a new revision.
    pub(super) fn forget(&mut self, revision: u64) {
        if let Some(job) = self.by_revision.remove(&revision)
            && self.newest_of.get(&job.key_hash) == Some(&revision)
        {
            self.newest_of.remove(&job.key_hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmhost_protocol::ids::JobKey;

    use super::*;

    const GRACE: Duration = Duration::from_secs(60);

    fn revision(id: u64, number: u64) -> Revision {
        Revision { key: JobKey::parse(&format!("m.f.{id}")).unwrap(), number, is_terminal: false }
    }

    fn with(revisions: impl IntoIterator<Item = Revision>) -> Unfinished {
        let mut unfinished = Unfinished::default();
        revisions.into_iter().for_each(|revision| unfinished.read(&revision));
        unfinished
    }

    /// Returns the times of a scan that starts so many seconds after `start` and sees the job two seconds later.
    fn scan(start: Instant, second: u64) -> ScanTimes {
        let scan_started = start + Duration::from_secs(second);
        ScanTimes { scan_started, now: scan_started + Duration::from_secs(2), grace: GRACE }
    }

    #[test]
    fn a_job_is_remembered_by_its_newest_revision_until_it_ends() {
        let mut unfinished = with([revision(1, 3), revision(2, 4), revision(1, 7)]);
        assert_eq!(unfinished.next_to_look_at(10, 9), [4, 7]);
        unfinished.read(&Revision { is_terminal: true, ..revision(1, 8) });
        assert_eq!(unfinished.next_to_look_at(10, 9), [4]);
        unfinished.forget(4);
        assert_eq!((unfinished.len(), unfinished.newest_of.len()), (0, 0));
    }

    #[test]
    fn all_are_looked_at_in_turn_and_none_that_is_too_new() {
        let mut unfinished = with((1..=5).map(|id| revision(id, id)));
        assert_eq!(unfinished.next_to_look_at(2, 4), [1, 2]);
        assert_eq!(unfinished.next_to_look_at(2, 4), [3, 4]);
        assert_eq!(unfinished.next_to_look_at(2, 4), [1, 2], "5 was written since");
        assert_eq!(unfinished.next_to_look_at(9, 5), [3, 4, 5]);
        assert_eq!(unfinished.next_to_look_at(9, 5), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_job_is_overdue_a_grace_after_it_was_first_seen_without_a_message() {
        let start = Instant::now();
        let mut unfinished = with([revision(1, 7), revision(2, 8)]);
        assert!(!unfinished.note_missing(7, &scan(start, 0)));
        assert!(!unfinished.note_missing(7, &scan(start, 61)), "it was seen at second 2");
        assert!(unfinished.note_missing(7, &scan(start, 62)));
        assert!(!unfinished.note_missing(8, &scan(start, 62)), "one scan alone ends nothing");
    }

    #[test]
    fn a_record_that_was_written_since_begins_anew() {
        let start = Instant::now();
        let mut unfinished = with([revision(1, 7)]);
        unfinished.note_missing(7, &scan(start, 0));
        unfinished.keep(7, true);
        assert!(unfinished.has_dead_letter(7));
        unfinished.read(&revision(1, 8));
        assert!(!unfinished.note_missing(7, &scan(start, 100)));
        assert!(!unfinished.note_missing(8, &scan(start, 100)));
        assert!(!unfinished.has_dead_letter(8), "the note was for another failure");
    }

    #[test]
    fn a_job_that_has_a_message_again_begins_anew() {
        let start = Instant::now();
        let mut unfinished = with([revision(1, 7)]);
        unfinished.note_missing(7, &scan(start, 0));
        unfinished.note_well(7);
        assert!(!unfinished.note_missing(7, &scan(start, 100)));
    }
}
