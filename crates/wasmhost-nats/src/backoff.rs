//! How long to wait between tries of what must work in the end: doubling, jittered, bounded.

use std::time::Duration;

use crate::random::fraction;

/// The wait before the second try.
const FIRST: Duration = Duration::from_millis(50);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self(FIRST)
    }

    /// Waits between half of the current delay and all of it, then doubles it.
    pub(crate) async fn wait(&mut self) {
        let delay = self.0.mul_f64(0.5 + fraction() / 2.0);
        self.0 = (self.0 * 2).min(LONGEST);
        tokio::time::sleep(delay).await;
    }
}
