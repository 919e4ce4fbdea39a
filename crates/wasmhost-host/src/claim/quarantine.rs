//! Suspects: jobs whose claims keep ending without an outcome. A host lets them begin one at a time, beside others, so that
//! the neighbours of a task that kills hosts do not reach the limit with it. One that lives through its probation is taken
//! for a neighbour, and the next may begin; one that has no life left to lose is alone to its end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use wasmhost_protocol::policy::RetryPolicy;
use wasmhost_protocol::record::Record;

/// How long a suspect is given back for at the least while another one has its turn.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// And at the most.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// By how much the wait grows with each one that waits: so many come back in this time that a turn does not stay free, and not
/// so many that they are all that a queue delivers.
const WAIT_FOR_EACH: Duration = Duration::from_millis(100);
/// Suspects that are counted as waiting; with more, the wait is the longest anyway.
const COUNTED: usize = 1_000;

/// The one turn, and who waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Quarantine {
    permit: Arc<Semaphore>,
    /// When those come back that were given back.
    back_at: Arc<Mutex<BinaryHeap<Reverse<Instant>>>>,
}

/// A suspect's turn, until dropped.
#[derive(Debug)]
pub(crate) struct QuarantinePermit {
    _permit: OwnedSemaphorePermit,
    /// Whether it ends with the probation: the suspect has a life left.
    pub(crate) ends_with_probation: bool,
}

impl Quarantine {
    pub(crate) fn new() -> Self {
        Self { permit: Arc::new(Semaphore::new(1)), back_at: Arc::default() }
    }

    /// The turn of a claim that is about to be written, none where the job is no suspect; or how long it has to wait.
    pub(crate) fn admit(
        &self,
        claimed: &Record,
        max_lost: u32,
    ) -> Result<Option<QuarantinePermit>, Duration> {
        if claimed.lost < RetryPolicy::SUSPECT_LOST {
            return Ok(None);
        }
        match self.permit.clone().try_acquire_owned() {
            Ok(permit) => {
                Ok(Some(QuarantinePermit { _permit: permit, ends_with_probation: claimed.lost < max_lost }))
            }
            Err(_) => Err(self.wait()),
        }
    }

    /// Between half of what so many have to wait and all of it.
    fn wait(&self) -> Duration {
        let now = Instant::now();
        let mut back_at = self.back_at.lock().unwrap_or_else(PoisonError::into_inner);
        while back_at.peek().is_some_and(|Reverse(at)| *at <= now) {
            back_at.pop();
        }
        let others = u32::try_from(back_at.len()).unwrap_or(u32::MAX);
        let longest = WAIT_FOR_EACH.saturating_mul(others).clamp(SHORTEST_WAIT, LONGEST_WAIT);
        let wait = longest.mul_f64(0.5 + fastrand::f64() / 2.0);
        if back_at.len() < COUNTED {
            back_at.push(Reverse(now + wait));
        }
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_more_wait_the_later_each_comes_back() {
        let suspects = Quarantine::new();
        let first = suspects.wait();
        assert!((SHORTEST_WAIT / 2..=SHORTEST_WAIT).contains(&first), "{first:?}");
        let all: Vec<_> = (0..10_000).map(|_| suspects.wait()).collect();
        // Ten thousand of them are 300 deliveries a second at the most, and not ten thousand.
        let last: Duration = all[9_000..].iter().sum::<Duration>() / 1_000;
        assert!((Duration::from_secs(40)..=LONGEST_WAIT).contains(&last), "{last:?}");
    }
}
