//! Pseudo-random choices that can be repeated: the same seed always gives the same choices.

use std::{ops::RangeInclusive, time::Duration};

/// A generator of pseudo-random choices, which a seed determines.
#[derive(Debug)]
pub(super) struct Rng(fastrand::Rng);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// True with this probability, in percent.
    pub(super) fn percent(&mut self, chance: u32) -> bool {
        self.0.u32(0..100) < chance
    }

    pub(super) fn number(&mut self, range: RangeInclusive<u32>) -> u32 {
        self.0.u32(range)
    }

    pub(super) fn ms(&mut self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.0.u64(range))
    }

    /// A time between 0 and `end`.
    pub(super) fn before(&mut self, end: Duration) -> Duration {
        Duration::from_millis(self.0.u64(0..u64::try_from(end.as_millis()).unwrap_or(u64::MAX).max(1)))
    }

    pub(super) fn shuffle<T>(&mut self, all: &mut [T]) {
        self.0.shuffle(all);
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.0.usize(0..all.len())]
    }

    /// One of these items, with a probability in proportion to its weight.
    pub(super) fn weighted<T: Copy>(&mut self, all: &[(u32, T)]) -> T {
        let mut remaining = self.0.u32(0..all.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in all {
            if remaining < *weight {
                return *item;
            }
            remaining -= weight;
        }
        unreachable!("the number is below the sum of the weights")
    }
}
