//! How long to wait between the tries of a request that must succeed in the end.

use std::time::Duration;

/// The delay before the second try.
const FIRST: Duration = Duration::from_millis(50);
/// The longest delay.
const LONGEST: Duration = Duration::from_secs(5);

/// The delays between tries: each is twice as long as the one before, up to a bound, and up to a half of it is left off
/// at random, so that many that failed together do not try again together.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// Starts with 50 ms and ends with 5 s.
    pub(crate) const fn new() -> Self {
        Self::between(FIRST, LONGEST)
    }

    /// Starts with the delay `first` and ends with the delay `longest`.
    #[must_use]
    pub const fn between(first: Duration, longest: Duration) -> Self {
        Self { next: first, longest }
    }

    /// Takes the next delay: between a half of the current one and all of it.
    pub fn delay(&mut self) -> Duration {
        let delay = self.next.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.next = (self.next * 2).min(self.longest);
        delay
    }

    /// Waits for the next delay.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.delay()).await;
    }
}
