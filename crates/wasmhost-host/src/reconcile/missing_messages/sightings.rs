//! The jobs that scans have seen without a message, and since when. Pure: the times are arguments.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;
use wasmhost_protocol::ids::JobKey;

/// The most jobs that are remembered. When there are more, the others wait until these have ended.
const MAX_REMEMBERED: usize = 100_000;

/// The jobs that were seen without a message.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    by_key: HashMap<JobKey, Sighting>,
    /// Those that were seen in this pass over the bucket, which may take many scans.
    seen_in_pass: HashSet<JobKey>,
}

/// The first time at which a job was seen without a message.
#[derive(Debug, Clone, Copy)]
struct Sighting {
    /// The record's revision at that time.
    revision: u64,
    since: Instant,
    /// Whether the dead letters have a note of the job already.
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

impl Sightings {
    /// Takes note of a job that was seen without a message. Returns whether it was first seen like this, with the same revision, a
    /// grace before the scan started.
    pub(super) fn note_missing(&mut self, key: &JobKey, revision: u64, times: &ScanTimes) -> bool {
        if self.by_key.len() >= MAX_REMEMBERED && !self.by_key.contains_key(key) {
            return false;
        }
        self.seen_in_pass.insert(key.clone());
        let new = Sighting { revision, since: times.now, has_dead_letter: false };
        let sighting = self.by_key.entry(key.clone()).or_insert(new);
        // Somebody wrote the record since: the message may be on its way.
        if sighting.revision != revision {
            *sighting = new;
        }
        times.scan_started.saturating_duration_since(sighting.since) >= times.grace
    }

    /// Returns whether the dead letters have a note of the job; none where the job is not remembered.
    pub(super) fn dead_letter_of(&mut self, key: &JobKey) -> Option<&mut bool> {
        self.by_key.get_mut(key).map(|sighting| &mut sighting.has_dead_letter)
    }

    /// Forgets a job that has a message, or has ended.
    pub(super) fn forget(&mut self, key: &JobKey) {
        self.by_key.remove(key);
    }

    /// Ends a pass over the bucket. Jobs that were not seen in it have ended, or have a message again.
    pub(super) fn end_pass(&mut self) {
        let seen = std::mem::take(&mut self.seen_in_pass);
        self.by_key.retain(|key, _| seen.contains(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(60);

    fn key(id: u32) -> JobKey {
        JobKey::parse(&format!("m.f.{id}")).unwrap()
    }

    /// Returns the times of a scan that starts so many seconds after `start` and sees the job two seconds later.
    fn scan(start: Instant, second: u64) -> ScanTimes {
        let scan_started = start + Duration::from_secs(second);
        ScanTimes { scan_started, now: scan_started + Duration::from_secs(2), grace: GRACE }
    }

    #[test]
    fn a_job_is_overdue_a_grace_after_it_was_first_seen_without_a_message() {
        let start = Instant::now();
        let mut sightings = Sightings::default();
        assert!(!sightings.note_missing(&key(1), 7, &scan(start, 0)));
        assert!(!sightings.note_missing(&key(1), 7, &scan(start, 61)), "it was seen at second 2");
        assert!(sightings.note_missing(&key(1), 7, &scan(start, 62)));
        assert!(!sightings.note_missing(&key(2), 7, &scan(start, 62)), "one scan alone ends nothing");
    }

    #[test]
    fn a_record_that_was_written_since_begins_anew() {
        let start = Instant::now();
        let mut sightings = Sightings::default();
        sightings.note_missing(&key(1), 7, &scan(start, 0));
        *sightings.dead_letter_of(&key(1)).unwrap() = true;
        assert!(!sightings.note_missing(&key(1), 8, &scan(start, 100)));
        assert_eq!(sightings.dead_letter_of(&key(1)), Some(&mut false), "the note was for another failure");
        assert!(sightings.note_missing(&key(1), 8, &scan(start, 162)));
    }

    #[test]
    fn a_job_that_has_a_message_again_begins_anew() {
        let start = Instant::now();
        let mut sightings = Sightings::default();
        sightings.note_missing(&key(1), 7, &scan(start, 0));
        sightings.forget(&key(1));
        assert!(!sightings.note_missing(&key(1), 7, &scan(start, 100)));
    }

    #[test]
    fn a_job_that_a_whole_pass_did_not_see_is_forgotten() {
        let start = Instant::now();
        let mut sightings = Sightings::default();
        sightings.note_missing(&key(1), 7, &scan(start, 0));
        sightings.note_missing(&key(2), 7, &scan(start, 0));
        sightings.end_pass();
        sightings.note_missing(&key(2), 7, &scan(start, 30));
        sightings.end_pass();
        assert!(!sightings.note_missing(&key(1), 7, &scan(start, 100)));
        assert!(sightings.note_missing(&key(2), 7, &scan(start, 100)));
    }

    #[test]
    fn no_more_jobs_are_remembered_than_the_limit() {
        let start = Instant::now();
        let mut sightings = Sightings::default();
        for id in 0..100_000 {
            sightings.note_missing(&key(id), 7, &scan(start, 0));
        }
        sightings.note_missing(&key(100_000), 7, &scan(start, 0));
        assert!(!sightings.note_missing(&key(100_000), 7, &scan(start, 100)), "it waits for a place");
        assert!(sightings.note_missing(&key(0), 7, &scan(start, 100)));
    }
}
