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
    pub(super) fn is_overdue(&mut self, key: &JobKey, revision: u64, times: &ScanTimes) -> bool {
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
