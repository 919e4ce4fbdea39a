//! Quarantine: suspects, which are jobs whose claims keep ending without an outcome, begin one at a time on a host, beside any
//! number of other jobs. Otherwise the neighbours of a task that kills its hosts would reach the limit of lost claims together
//! with it ([Quarantine](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#quarantine)).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use wasmhost_protocol::policy::RetryPolicy;

/// The shortest time for which the delivery of a suspect is given back while another suspect holds the permit.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// The longest time for which it is given back.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// By how much the wait grows with each suspect that waits. So many come back in this time that a free permit is taken soon, and
/// not so many that the queue delivers nothing else.
const WAIT_FOR_EACH: Duration = Duration::from_millis(100);
/// The most suspects that are counted as waiting. With more of them, the wait is the longest anyway.
const MAX_COUNTED: usize = 1_000;

/// The one permit of a host's suspects, and the suspects that wait for it. It is cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Quarantine {
    permit: Arc<Semaphore>,
    /// When the deliveries come back that were given back, soonest first.
    back_at: Arc<Mutex<BinaryHeap<Reverse<Instant>>>>,
}

/// The permit of a suspect to begin. The next suspect may begin when it is dropped.
#[derive(Debug)]
pub(crate) struct QuarantinePermit {
    _permit: OwnedSemaphorePermit,
    /// Whether the permit ends with the probation. A suspect that has no claim left to lose keeps it to its end.
    pub(crate) ends_with_probation: bool,
}

impl Quarantine {
    /// Creates a quarantine whose permit is free.
    pub(crate) fn new() -> Self {
        Self { permit: Arc::new(Semaphore::new(1)), back_at: Arc::default() }
    }

    /// Admits a claim that is about to be written, of a job whose earlier claims ended `lost` times without an outcome. Returns
    /// the permit, which is none where the job is no suspect.
    ///
    /// # Errors
    ///
    /// While another suspect holds the permit, the error is the time for which the delivery is to be given back.
    pub(crate) fn admit(&self, lost: u32, max_lost: u32) -> Result<Option<QuarantinePermit>, Duration> {
        if lost < RetryPolicy::SUSPECT_LOST {
            return Ok(None);
        }
        match self.permit.clone().try_acquire_owned() {
            Ok(permit) => {
                Ok(Some(QuarantinePermit { _permit: permit, ends_with_probation: lost < max_lost }))
            }
            Err(_) => Err(self.wait()),
        }
    }

    /// Returns how long one more suspect waits: a random part, of at least a half, of what so many have to wait.
    fn wait(&self) -> Duration {
        let now = Instant::now();
        let mut back_at = self.back_at.lock().unwrap_or_else(PoisonError::into_inner);
        while back_at.peek().is_some_and(|Reverse(at)| *at <= now) {
            back_at.pop();
        }
        let others = u32::try_from(back_at.len()).unwrap_or(u32::MAX);
        let longest = WAIT_FOR_EACH.saturating_mul(others).clamp(SHORTEST_WAIT, LONGEST_WAIT);
        // Suspects that were given back together must not come back together.
        let wait = longest.mul_f64(0.5 + fastrand::f64() / 2.0);
        if back_at.len() < MAX_COUNTED {
            back_at.push(Reverse(now + wait));
        }
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUSPECT: u32 = RetryPolicy::SUSPECT_LOST;

    #[test]
    fn a_job_that_is_no_suspect_needs_no_permit() {
        let quarantine = Quarantine::new();
        let _suspect = quarantine.admit(SUSPECT, 3).unwrap();
        assert!(quarantine.admit(SUSPECT - 1, 3).unwrap().is_none());
    }

    #[test]
    fn suspects_begin_one_at_a_time() {
        let quarantine = Quarantine::new();
        let first = quarantine.admit(SUSPECT, 3).unwrap();
        assert!(first.is_some());
        let wait = quarantine.admit(SUSPECT, 3).unwrap_err();
        assert!(wait <= LONGEST_WAIT, "{wait:?}");
        drop(first);
        assert!(quarantine.admit(SUSPECT, 3).unwrap().is_some());
    }

    #[test]
    fn a_suspect_that_has_no_claim_left_to_lose_keeps_the_permit_to_its_end() {
        let ends_with_probation =
            |lost, max_lost| Quarantine::new().admit(lost, max_lost).unwrap().unwrap().ends_with_probation;
        assert!(ends_with_probation(SUSPECT, SUSPECT + 1));
        assert!(!ends_with_probation(SUSPECT, SUSPECT));
    }

    #[tokio::test]
    async fn the_more_suspects_wait_the_later_each_comes_back() {
        let quarantine = Quarantine::new();
        let first = quarantine.wait();
        assert!((SHORTEST_WAIT / 2..=SHORTEST_WAIT).contains(&first), "{first:?}");
        let all: Vec<_> = (0..10_000).map(|_| quarantine.wait()).collect();
        // Ten thousand of them are 300 deliveries a second at the most, and not ten thousand.
        let last: Duration = all[9_000..].iter().sum::<Duration>() / 1_000;
        assert!((Duration::from_secs(40)..=LONGEST_WAIT).contains(&last), "{last:?}");
    }
}
