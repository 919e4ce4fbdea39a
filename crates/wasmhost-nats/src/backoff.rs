//! How long to wait between tries of what must work in the end: doubling, jittered, bounded.

use std::time::Duration;

use crate::random::fraction;

/// The wait before the second try.
const FIRST: Duration = Duration::from_millis(50);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(5);

/// Delays between tries.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self::between(FIRST, LONGEST)
    }

    /// From `first` to `longest`.
    #[must_use]
    pub const fn between(first: Duration, longest: Duration) -> Self {
        Self { next: first, longest }
    }

    /// Between half of the current delay and all of it; the next one is twice as long.
    pub fn delay(&mut self) -> Duration {
        let delay = self.next.mul_f64(0.5 + fraction() / 2.0);
        self.next = (self.next * 2).min(self.longest);
        delay
    }

    /// Waits for it.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.delay()).await;
    }
}
