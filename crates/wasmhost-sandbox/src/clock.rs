//! Two threads beside the runtimes. The ticker advances the epoch, at which computing guests yield. The watchdog ends
//! the process when the ticker stands still, since no guest could be interrupted any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use wasmtime::Engine;

/// How often computing guests yield.
const TICK: Duration = Duration::from_millis(10);
/// How often the watchdog checks the ticker.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// After how many checks without a tick between them the process is ended.
const STALLED_CHECKS: u32 = 5;

/// The ticker and the watchdog of one engine; dropping this ends both threads.
#[derive(Debug)]
pub(crate) struct Clock {
    _ticker: Sender<()>,
    _watchdog: Sender<()>,
}

impl Clock {
    /// Starts both threads.
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let ticks = Arc::new(AtomicU64::new(0));
        let (ticker, ticker_end) = channel();
        let (watchdog, watchdog_end) = channel();
        let ticked = ticks.clone();
        std::thread::Builder::new().name("wasmhost-tick".to_owned()).spawn(move || {
            while wait(&ticker_end, TICK) {
                engine.increment_epoch();
                ticked.fetch_add(1, Ordering::Relaxed);
            }
        })?;
        std::thread::Builder::new()
            .name("wasmhost-watch".to_owned())
            .spawn(move || watch(&ticks, &watchdog_end))?;
        Ok(Self { _ticker: ticker, _watchdog: watchdog })
    }
}

/// Waits for that time. False: the clock was dropped meanwhile.
fn wait(end: &Receiver<()>, time: Duration) -> bool {
    matches!(end.recv_timeout(time), Err(RecvTimeoutError::Timeout))
}

fn watch(ticks: &AtomicU64, end: &Receiver<()>) {
    let mut detector = StallDetector::default();
    let mut checked_at = Instant::now();
    while wait(end, CHECK_INTERVAL) {
        let since_last_check = checked_at.elapsed();
        checked_at = Instant::now();
        if detector.is_stalled(ticks.load(Ordering::Relaxed), since_last_check) {
            tracing::error!("the epoch ticker stands still, guests cannot be interrupted: aborting");
            std::process::abort();
        }
    }
}

/// Counts the checks at which the ticker had not moved since the one before.
#[derive(Debug, Default)]
struct StallDetector {
    ticks: u64,
    stalled_checks: u32,
}

impl StallDetector {
    /// Checks the ticker once, and says whether it has stood still for too long.
    fn is_stalled(&mut self, ticks: u64, since_last_check: Duration) -> bool {
        // The watchdog itself was late: the whole process stood still, and the ticker with it through no fault of its
        // own.
        let was_paused = since_last_check > CHECK_INTERVAL * 2;
        self.stalled_checks = if ticks == self.ticks && !was_paused { self.stalled_checks + 1 } else { 0 };
        self.ticks = ticks;
        self.stalled_checks >= STALLED_CHECKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_ticker_that_stands_alone_is_too_long() {
        let mut detector = StallDetector::default();
        assert!((1..100).all(|ticks| !detector.is_stalled(ticks, CHECK_INTERVAL)));
        assert!((0..100).all(|_| !detector.is_stalled(99, CHECK_INTERVAL * 3)), "a paused process");
        assert!((1..STALLED_CHECKS).all(|_| !detector.is_stalled(99, CHECK_INTERVAL)));
        assert!(detector.is_stalled(99, CHECK_INTERVAL));
    }
}
