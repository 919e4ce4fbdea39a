//! Log lines that jobs or messages can cause thousands of times a second: of each kind one a second is written, and it
//! says how many were held back before it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The shortest time between two lines of one kind, in milliseconds.
const INTERVAL_MS: u64 = 1_000;

/// The limit of one kind of line, which is one line a second.
#[derive(Debug)]
pub struct Limit {
    /// When the next line may pass, in milliseconds as [`millis`] counts them.
    next_at: AtomicU64,
    held_back: AtomicU64,
}

impl Limit {
    /// Makes a limit at which no line has passed yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each limit is a static of its own")]
    pub const fn new() -> Self {
        Self { next_at: AtomicU64::new(0), held_back: AtomicU64::new(0) }
    }

    /// Asks whether this line may pass. If so, the answer is how many were held back since the last one that passed.
    pub fn pass(&self) -> Option<u64> {
        let now = millis();
        let next_at = self.next_at.load(Ordering::Relaxed);
        // Of several threads that find the interval over, one passes: whoever moves its end.
        let passes = next_at <= now
            && self
                .next_at
                .compare_exchange(next_at, now + INTERVAL_MS, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if passes {
            Some(self.held_back.swap(0, Ordering::Relaxed))
        } else {
            self.held_back.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

/// Milliseconds since the first use of any limit, and one more, so that a new limit lets its first line pass.
fn millis() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX) + 1
}

/// Logs like the macro of `tracing` with this level, at most once a second from each place in the code. A line has the
/// field `held_back` with the number of lines that were held back before it.
#[macro_export]
macro_rules! limited {
    ($level:ident, $($what:tt)*) => {{
        static LIMIT: $crate::Limit = $crate::Limit::new();
        match LIMIT.pass() {
            Some(0) => ::tracing::$level!($($what)*),
            Some(held_back) => ::tracing::$level!(held_back, $($what)*),
            None => {}
        }
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_passes_and_the_rest_are_counted() {
        let limit = Limit::new();
        assert_eq!(limit.pass(), Some(0));
        assert_eq!([limit.pass(), limit.pass()], [None, None]);
        limit.next_at.store(0, Ordering::Relaxed);
        assert_eq!(limit.pass(), Some(2));
    }
}
