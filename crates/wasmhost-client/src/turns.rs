//! Turns of the handles that wait: after a reconnect all of them have a reason to read at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How many records all handles of a client that wait read in a second, as an average: a reconnect is no reason to read a
/// hundred thousand at once.
const READS_PER_SECOND: u32 = 1_000;

/// How many handles of a client wait. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<AtomicU32>);

/// One handle that waits.
pub(crate) struct Waiter(Turns);

impl Turns {
    /// Counts one that begins to wait.
    pub(crate) fn join(&self) -> Waiter {
        self.0.fetch_add(1, Ordering::Relaxed);
        Waiter(self.clone())
    }
}

impl Waiter {
    /// A random part of the time in which all that wait now may read.
    pub(crate) fn turn(&self) -> Duration {
        let waiting = self.0.0.load(Ordering::Relaxed);
        Duration::from_secs(waiting.into()).mul_f64(fastrand::f64()) / READS_PER_SECOND
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_handles_wait_the_longer_they_take_to_read() {
        let turns = Turns::default();
        let first = turns.join();
        assert!(first.turn() <= Duration::from_millis(1));
        let others: Vec<_> = (1..100_000).map(|_| turns.join()).collect();
        let turns: Vec<_> = (0..1_000).map(|_| first.turn()).collect();
        assert!(turns.iter().all(|turn| *turn <= Duration::from_secs(100)));
        assert!(
            turns.iter().filter(|turn| **turn > Duration::from_secs(50)).count() > 300,
            "they are spread"
        );
        drop(others);
        assert!(first.turn() <= Duration::from_millis(1));
    }
}
