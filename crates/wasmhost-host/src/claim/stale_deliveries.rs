//! Revisions that this host walked away from (R3).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How often a host walks away from one revision before its delivery counts as newer.
const WALKS_AWAY: u32 = 3;
/// Revisions remembered for that; when there are more, all of them are forgotten, and some are walked away from anew.
const REMEMBERED: usize = 4096;

/// Revisions that this host walked away from.
#[derive(Debug, Default)]
pub(super) struct StaleDeliveryCounter(Mutex<HashMap<u64, u32>>);

impl StaleDeliveryCounter {
    /// Whether to walk away from `revision` once more.
    pub(super) fn walk_away(&self, revision: u64) -> bool {
        let mut walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if walks.len() >= REMEMBERED {
            walks.clear();
        }
        let walked = walks.entry(revision).or_insert(0);
        *walked += 1;
        *walked <= WALKS_AWAY
    }
}
