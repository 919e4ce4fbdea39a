//! How often this host walked away from a delivery that looks stale
//! ([R3](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r3)). Counts of deliveries can repeat, so that walking
//! away for ever would leave a job without a host.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How often a host walks away from one revision, before a delivery that meets it counts as newer. Counts may repeat or begin
/// again at 1, so that walking away for ever would strand the job; one chance repetition must not end an attempt that is alive.
const WALKS_AWAY: u32 = 3;
/// The most revisions that are remembered. When there are more, all are forgotten, and some are walked away from more often.
const MAX_REMEMBERED: usize = 4096;

/// The revisions that this host walked away from, and how often.
#[derive(Debug, Default)]
pub(super) struct StaleDeliveryCounter(Mutex<HashMap<u64, u32>>);

impl StaleDeliveryCounter {
    /// Counts a stale delivery that met `revision`. Returns whether the host walks away once more.
    pub(super) fn walk_away(&self, revision: u64) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_REMEMBERED {
            counts.clear();
        }
        let count = counts.entry(revision).or_insert(0);
        *count += 1;
        *count <= WALKS_AWAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_stale_delivery_that_meets_a_revision_counts_as_newer() {
        let counter = StaleDeliveryCounter::default();
        assert!((0..3).all(|_| counter.walk_away(7)));
        assert!(!counter.walk_away(7));
        assert!(counter.walk_away(8), "each revision is counted by itself");
    }

    #[test]
    fn the_counter_forgets_all_revisions_rather_than_grow() {
        let counter = StaleDeliveryCounter::default();
        for _ in 0..4 {
            counter.walk_away(0);
        }
        for revision in 1..=MAX_REMEMBERED as u64 {
            assert!(counter.walk_away(revision));
        }
        assert!(counter.0.lock().unwrap().len() <= MAX_REMEMBERED);
        assert!(counter.walk_away(0), "it is walked away from anew");
    }
}
