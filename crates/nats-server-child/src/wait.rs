//! Waiting for a condition that nobody signals: another program's file, or its end.

use std::time::{Duration, Instant};

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until there is something, at most this long.
pub(crate) fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if started.elapsed() > limit {
            return None;
        }
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "another program's file and end give no signal without unsafe code"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}
