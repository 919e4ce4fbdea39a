//! Waits for something that gives no signal: a file of another program, or its end.

use std::time::{Duration, Instant};

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(5);

/// Tries until there is something, at most this long.
pub(crate) fn until<T>(limit: Duration, mut read: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        if let Some(seen) = read() {
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
