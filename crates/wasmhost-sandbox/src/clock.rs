//! Two threads beside the runtimes: the ticker advances the epoch by which computing guests yield, and the watchdog
//! ends the process when the ticker stands still, since nothing else could stop a guest then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use wasmtime::Engine;

/// How often computing guests yield.
const TICK: Duration = Duration::from_millis(10);
/// How often the watchdog looks.
const LOOK: Duration = Duration::from_secs(1);
/// Looks without a tick that are too many.
const STALLED_CHECKS: u32 = 5;

/// Both threads; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Clock {
    _ticker: Sender<()>,
    _watchdog: Sender<()>,
}

impl Clock {
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let ticks = Arc::new(AtomicU64::new(0));
        let (ticker, ticker_end) = channel();
        let (watchdog, watchdog_end) = channel();
        let ticked = ticks.clone();
        std::thread::Builder::new().name("wasmhost-tick".to_owned()).spawn(move || {
            while waited(&ticker_end, TICK) {
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

fn waited(end: &Receiver<()>, time: Duration) -> bool {
    matches!(end.recv_timeout(time), Err(RecvTimeoutError::Timeout))
}

fn watch(ticks: &AtomicU64, end: &Receiver<()>) {
    let mut silence = StallDetector::default();
    let mut looked = Instant::now();
    while waited(end, LOOK) {
        let step = looked.elapsed();
        looked = Instant::now();
        if silence.is_too_long(ticks.load(Ordering::Relaxed), step) {
            tracing::error!("the epoch ticker stands still, guests cannot be interrupted: aborting");
            std::process::abort();
        }
    }
}

/// Counts looks at a ticker that did not move.
#[derive(Debug, Default)]
struct StallDetector {
    ticks: u64,
    looks: u32,
}

impl StallDetector {
    /// A step much longer than [`LOOK`] means that the whole process stood still, which is nobody's fault.
    fn is_too_long(&mut self, ticks: u64, step: Duration) -> bool {
        let paused = step > LOOK * 2;
        self.looks = if ticks == self.ticks && !paused { self.looks + 1 } else { 0 };
        self.ticks = ticks;
        self.looks >= STALLED_CHECKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_ticker_that_stands_alone_is_too_long() {
        let mut silence = StallDetector::default();
        assert!((1..100).all(|ticks| !silence.is_too_long(ticks, LOOK)));
        assert!((0..100).all(|_| !silence.is_too_long(99, LOOK * 3)), "a paused process");
        assert!((1..STALLED_CHECKS).all(|_| !silence.is_too_long(99, LOOK)));
        assert!(silence.is_too_long(99, LOOK));
    }
}
