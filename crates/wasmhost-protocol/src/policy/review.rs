//! Checks a policy against the bounds. A policy outside of them is refused at the push; one that an older
//! version stored is taken at the nearest bounds.

use super::module::Policy;
use crate::bounds::{self, Bounds, OutOfBounds, Quantity};

/// `SettingOutOfBounds` reports a setting of a policy that is outside of its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}`: {source}")]
#[non_exhaustive]
pub struct SettingOutOfBounds {
    /// The path of the setting in the policy's file, such as `limits.timeout`.
    pub setting: &'static str,
    /// The value and the bound that it passes.
    pub source: OutOfBounds,
}

/// `BadPolicy` reports a policy with settings that are outside of their bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy refused: {}", settings.iter().map(SettingOutOfBounds::to_string).collect::<Vec<_>>().join("; "))]
#[non_exhaustive]
pub struct BadPolicy {
    /// Every setting that is outside of its bounds.
    pub settings: Vec<SettingOutOfBounds>,
}

impl Policy {
    /// Checks that every setting is within its bounds. The error lists all that are not.
    pub fn check(&self) -> Result<(), BadPolicy> {
        let (_, settings) = self.clone().within_bounds();
        if settings.is_empty() { Ok(()) } else { Err(BadPolicy { settings }) }
    }

    /// Returns the policy with each setting that is outside of its bounds at the nearest bound, and the list
    /// of those settings. The configuration values are reported if they are too large, but not changed:
    /// nobody but the publisher can say which of them to leave out.
    #[must_use]
    pub fn within_bounds(mut self) -> (Self, Vec<SettingOutOfBounds>) {
        let mut review = Review(Vec::new());
        let limits = &mut self.limits;
        review.clamp("limits.memory_bytes", &mut limits.memory_bytes, bounds::MEMORY_BYTES);
        review.clamp("limits.table_elements", &mut limits.table_elements, bounds::TABLE_ELEMENTS);
        review.clamp("limits.handles", &mut limits.handles, bounds::HANDLES);
        review.clamp("limits.cpu", &mut limits.cpu, bounds::ATTEMPT);
        if let Some(soft_timeout) = &mut limits.soft_timeout {
            review.clamp("limits.soft_timeout", soft_timeout, bounds::ATTEMPT);
        }
        review.clamp("limits.timeout", &mut limits.timeout, bounds::ATTEMPT);
        review.clamp("limits.result_bytes", &mut limits.result_bytes, bounds::BLOB_BYTES);
        review.clamp("limits.meta_bytes", &mut limits.meta_bytes, bounds::META_BYTES);
        review.clamp("limits.checkpoint_bytes", &mut limits.checkpoint_bytes, bounds::BLOB_BYTES);
        review.clamp("limits.updates_per_second", &mut limits.updates_per_second, bounds::UPDATES_PER_SECOND);
        let retry = &mut self.retry;
        if let Some(max_attempts) = &mut retry.max_attempts {
            review.clamp("retry.max_attempts", max_attempts, bounds::MAX_ATTEMPTS);
        }
        review.clamp("retry.initial_delay", &mut retry.initial_delay, bounds::RETRY_DELAY);
        review.clamp("retry.factor", &mut retry.factor, bounds::RETRY_FACTOR);
        review.clamp("retry.max_delay", &mut retry.max_delay, bounds::RETRY_DELAY);
        review.clamp("retry.max_lost", &mut retry.max_lost, bounds::MAX_LOST);
        review.clamp("result_ttl", &mut self.result_ttl, bounds::RESULT_TTL);
        // The sum is a value of its own, so that taking it at its bound changes nothing in the policy.
        let config = self.config.iter().map(|(name, value)| (name.len() + value.len()) as u64);
        review.clamp("config", &mut config.sum::<u64>(), bounds::CONFIG_BYTES);
        (self, review.0)
    }
}

/// The settings that a review has found outside of their bounds.
struct Review(Vec<SettingOutOfBounds>);

impl Review {
    fn clamp<T: Quantity>(&mut self, setting: &'static str, value: &mut T, bounds: Bounds<T>) {
        if let Err(source) = bounds.check(*value) {
            *value = bounds.clamp(*value);
            self.0.push(SettingOutOfBounds { setting, source });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::limits::Limits;
    use crate::policy::retry::RetryPolicy;

    /// Builds a policy with each setting at its least or at its most.
    fn policy_at(least: bool) -> Policy {
        fn end<T: Quantity>(bounds: Bounds<T>, least: bool) -> T {
            if least { bounds.min } else { bounds.max }
        }
        Policy {
            limits: Limits {
                memory_bytes: end(bounds::MEMORY_BYTES, least),
                table_elements: end(bounds::TABLE_ELEMENTS, least),
                handles: end(bounds::HANDLES, least),
                cpu: end(bounds::ATTEMPT, least),
                soft_timeout: Some(end(bounds::ATTEMPT, least)),
                timeout: end(bounds::ATTEMPT, least),
                result_bytes: end(bounds::BLOB_BYTES, least),
                meta_bytes: end(bounds::META_BYTES, least),
                checkpoint_bytes: end(bounds::BLOB_BYTES, least),
                updates_per_second: end(bounds::UPDATES_PER_SECOND, least),
            },
            retry: RetryPolicy {
                max_attempts: Some(end(bounds::MAX_ATTEMPTS, least)),
                initial_delay: end(bounds::RETRY_DELAY, least),
                factor: end(bounds::RETRY_FACTOR, least),
                max_delay: end(bounds::RETRY_DELAY, least),
                retry_on: Vec::new(),
                max_lost: end(bounds::MAX_LOST, least),
            },
            track_started: true,
            result_ttl: end(bounds::RESULT_TTL, least),
            config: [(
                "key".to_owned(),
                "v".repeat(end(bounds::CONFIG_BYTES, least).saturating_sub(3) as usize),
            )]
            .into(),
        }
    }

    #[test]
    fn the_default_and_every_bound_may_be_asked_for() {
        for policy in [Policy::default(), policy_at(false)] {
            assert_eq!(policy.check(), Ok(()));
        }
        assert_eq!(Policy { config: [].into(), ..policy_at(true) }.check(), Ok(()));
    }

    #[test]
    fn every_value_over_its_bound_is_named_and_taken_as_the_bound() {
        let ms = Duration::from_millis(1);
        let mut over = policy_at(false);
        let limits = &mut over.limits;
        limits.memory_bytes += 1;
        limits.table_elements = u64::MAX;
        limits.handles += 1;
        limits.cpu += ms;
        limits.soft_timeout = Some(Duration::MAX);
        limits.timeout = Duration::MAX;
        limits.result_bytes = u64::MAX;
        limits.meta_bytes += 1;
        limits.checkpoint_bytes += 1;
        limits.updates_per_second += 1;
        over.retry.max_attempts = Some(u32::MAX);
        over.retry.initial_delay += ms;
        over.retry.factor = f64::INFINITY;
        over.retry.max_delay = Duration::MAX;
        over.retry.max_lost += 1;
        over.result_ttl += ms;
        let refused = over.check().unwrap_err();
        assert_eq!(refused.settings.len(), 16, "{refused}");
        assert_eq!(over.within_bounds().0, policy_at(false));
        let mut config = policy_at(false);
        config.config.insert(String::new(), "x".to_owned());
        assert_eq!(
            config.check().unwrap_err().to_string(),
            "policy refused: `config`: 65537 is more than 65536, the most that may be asked for"
        );
    }

    #[test]
    fn zero_is_refused_where_the_least_is_more() {
        let mut none = policy_at(true);
        none.limits.memory_bytes = 0;
        none.limits.updates_per_second = 0;
        none.limits.cpu = Duration::ZERO;
        none.retry.max_attempts = Some(0);
        none.retry.factor = -1.0;
        none.result_ttl = Duration::ZERO;
        let settings: Vec<_> = none.check().unwrap_err().settings.iter().map(|it| it.setting).collect();
        let expected = [
            "limits.memory_bytes",
            "limits.cpu",
            "limits.updates_per_second",
            "retry.max_attempts",
            "retry.factor",
            "result_ttl",
        ];
        assert_eq!(settings, expected);
    }
}
