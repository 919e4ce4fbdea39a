//! Log lines limited by kind: what happens a thousand times a second is said once a second, with how often it was not said.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The shortest time between two lines of one kind, in milliseconds.
const INTERVAL_MS: u64 = 1_000;

/// The limit of one kind of line: one a second.
#[derive(Debug)]
pub struct Limit {
    /// When the next line may pass, in milliseconds since the first use of any limit, and one: 0 is never yet.
    next_at: AtomicU64,
    held_back: AtomicU64,
}

impl Limit {
    /// Nothing was said yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each stands in a static of its own")]
    pub const fn new() -> Self {
        Self { next_at: AtomicU64::new(0), held_back: AtomicU64::new(0) }
    }

    /// How many lines were held back since the last that passed, where this one may pass.
    pub fn pass(&self) -> Option<u64> {
        let now = millis();
        let next_at = self.next_at.load(Ordering::Relaxed);
        let taken = next_at <= now
            && self
                .next_at
                .compare_exchange(next_at, now + INTERVAL_MS, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if taken {
            Some(self.held_back.swap(0, Ordering::Relaxed))
        } else {
            self.held_back.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

fn millis() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX) + 1
}

/// Logs as `tracing`'s macro of this level does, at most once a second from each place where it stands. A line says how many
/// were held back since the one before.
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
