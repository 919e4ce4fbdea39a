//! The ceiling of a host: what its operator lets any module and any job ask for. Policies are stored where
//! publishers write, so that they can only ask. What is over the ceiling of the claiming host is refused by
//! name and never reduced silently: a limit that is reduced without a word makes a job fail later for a
//! reason that nobody can find.

use std::fmt;
use std::time::Duration;

use super::limits::Limits;
use super::module::Policy;
use super::retry::RetryPolicy;
use super::review::BadPolicy;
use crate::bounds::{self, Quantity};
use crate::headers::JobOptions;
use crate::names::header;
use crate::text::format_size;

/// A `Ceiling` is the most that a policy or a job may ask for on one host. Build it from
/// [`Ceiling::default`], since later versions may add settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Ceiling {
    /// The most of [`Limits::memory_bytes`].
    pub memory_bytes: u64,
    /// The most of [`Limits::table_elements`].
    pub table_elements: u64,
    /// The most of [`Limits::handles`].
    pub handles: u32,
    /// The most of [`Limits::cpu`].
    pub cpu: Duration,
    /// The most of [`Limits::soft_timeout`].
    pub soft_timeout: Duration,
    /// The most of [`Limits::timeout`], and of the timeout that a job asks for.
    pub timeout: Duration,
    /// The most of [`Limits::result_bytes`].
    pub result_bytes: u64,
    /// The most of [`Limits::meta_bytes`].
    pub meta_bytes: u64,
    /// The most of [`Limits::checkpoint_bytes`].
    pub checkpoint_bytes: u64,
    /// The most of [`Limits::updates_per_second`].
    pub updates_per_second: u32,
    /// The most of [`RetryPolicy::max_attempts`], and of the attempts that a job asks for.
    pub max_attempts: u32,
    /// The most of [`RetryPolicy::initial_delay`].
    pub initial_delay: Duration,
    /// The most of [`RetryPolicy::factor`].
    pub factor: f64,
    /// The most of [`RetryPolicy::max_delay`].
    pub max_delay: Duration,
    /// The most of [`RetryPolicy::max_lost`].
    pub max_lost: u32,
}

/// `OverCeiling` reports a setting that asks for more than the host's ceiling allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverCeiling {
    /// The name of the setting, as the host's configuration or the job's header has it.
    pub setting: &'static str,
    /// The value that is asked for, as people write it.
    pub asked: String,
    /// The ceiling, as people write it.
    pub allowed: String,
}

impl Default for Ceiling {
    /// Returns a ceiling under which a job does no harm to others on a machine of any size. An operator who
    /// knows the jobs raises it for longer and larger ones.
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            table_elements: 1_000_000,
            handles: 100_000,
            cpu: Duration::from_secs(3600),
            soft_timeout: Duration::from_secs(24 * 3600),
            timeout: Duration::from_secs(24 * 3600),
            result_bytes: 16 << 20,
            meta_bytes: 64 << 10,
            checkpoint_bytes: 16 << 20,
            updates_per_second: 100,
            max_attempts: 1_000,
            initial_delay: bounds::RETRY_DELAY.max,
            factor: bounds::RETRY_FACTOR.max,
            max_delay: bounds::RETRY_DELAY.max,
            max_lost: 100,
        }
    }
}

impl Ceiling {
    /// Returns every setting of a policy that is over the ceiling.
    #[must_use]
    pub fn over_policy(&self, policy: &Policy) -> Vec<OverCeiling> {
        let limits = &policy.limits;
        let retry = &policy.retry;
        let soft_timeout = limits.soft_timeout.unwrap_or_default();
        let max_attempts = retry.max_attempts.unwrap_or_default();
        // A setting that is not set is compared as zero, which is never over.
        let settings = [
            exceeded("memory", limits.memory_bytes, self.memory_bytes, format_size),
            exceeded("table-elements", limits.table_elements, self.table_elements, Quantity::text),
            exceeded("handles", limits.handles, self.handles, Quantity::text),
            exceeded("cpu", limits.cpu, self.cpu, Quantity::text),
            exceeded("soft-timeout", soft_timeout, self.soft_timeout, Quantity::text),
            exceeded("timeout", limits.timeout, self.timeout, Quantity::text),
            exceeded("result", limits.result_bytes, self.result_bytes, format_size),
            exceeded("meta", limits.meta_bytes, self.meta_bytes, format_size),
            exceeded("checkpoint", limits.checkpoint_bytes, self.checkpoint_bytes, format_size),
            exceeded(
                "updates-per-second",
                limits.updates_per_second,
                self.updates_per_second,
                Quantity::text,
            ),
            exceeded("max-attempts", max_attempts, self.max_attempts, Quantity::text),
            exceeded("initial-delay", retry.initial_delay, self.initial_delay, Quantity::text),
            exceeded("factor", retry.factor, self.factor, Quantity::text),
            exceeded("max-delay", retry.max_delay, self.max_delay, Quantity::text),
            exceeded("max-lost", retry.max_lost, self.max_lost, Quantity::text),
        ];
        settings.into_iter().flatten().collect()
    }

    /// Returns every header of a job that is over the ceiling.
    #[must_use]
    pub fn over_options(&self, options: &JobOptions) -> Vec<OverCeiling> {
        let timeout = options.timeout.unwrap_or_default();
        let max_attempts = options.max_attempts.unwrap_or_default();
        let settings = [
            exceeded(header::TIMEOUT, timeout, self.timeout, Quantity::text),
            exceeded(header::MAX_ATTEMPTS, max_attempts, self.max_attempts, Quantity::text),
        ];
        settings.into_iter().flatten().collect()
    }

    /// Checks the ceiling itself: none of its settings may be outside of the bounds that no policy may pass.
    pub fn check(&self) -> Result<(), BadPolicy> {
        // The bounds are those of a policy, so that the ceiling is checked as a policy that asks for all of
        // it.
        let highest = Policy {
            limits: Limits {
                memory_bytes: self.memory_bytes,
                table_elements: self.table_elements,
                handles: self.handles,
                cpu: self.cpu,
                soft_timeout: Some(self.soft_timeout),
                timeout: self.timeout,
                result_bytes: self.result_bytes,
                meta_bytes: self.meta_bytes,
                checkpoint_bytes: self.checkpoint_bytes,
                updates_per_second: self.updates_per_second,
            },
            retry: RetryPolicy {
                max_attempts: Some(self.max_attempts),
                initial_delay: self.initial_delay,
                factor: self.factor,
                max_delay: self.max_delay,
                retry_on: Vec::new(),
                max_lost: self.max_lost,
            },
            ..Policy::default()
        };
        highest.check()
    }
}

impl fmt::Display for OverCeiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, asked, allowed } = self;
        write!(f, "{setting}: {asked} is more than the {allowed} this host allows")
    }
}

fn exceeded<T: Quantity>(
    setting: &'static str,
    asked: T,
    allowed: T,
    text: fn(T) -> String,
) -> Option<OverCeiling> {
    (asked > allowed).then(|| OverCeiling { setting, asked: text(asked), allowed: text(allowed) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_is_within_the_default_ceiling_and_that_within_all_bounds() {
        let ceiling = Ceiling::default();
        assert_eq!(ceiling.over_policy(&Policy::default()), []);
        assert_eq!(ceiling.over_options(&JobOptions::default()), []);
        assert_eq!(ceiling.check(), Ok(()));
        assert!(Ceiling { memory_bytes: u64::MAX, ..ceiling }.check().is_err());
    }

    #[test]
    fn every_setting_over_its_ceiling_is_named_with_both_values() {
        let ceiling = Ceiling::default();
        let ms = Duration::from_millis(1);
        let at = |more: u32| Policy {
            limits: Limits {
                memory_bytes: ceiling.memory_bytes + u64::from(more),
                table_elements: ceiling.table_elements + u64::from(more),
                handles: ceiling.handles + more,
                cpu: ceiling.cpu + ms * more,
                soft_timeout: Some(ceiling.soft_timeout + ms * more),
                timeout: ceiling.timeout + ms * more,
                result_bytes: ceiling.result_bytes + u64::from(more),
                meta_bytes: ceiling.meta_bytes + u64::from(more),
                checkpoint_bytes: ceiling.checkpoint_bytes + u64::from(more),
                updates_per_second: ceiling.updates_per_second + more,
            },
            retry: RetryPolicy {
                max_attempts: Some(ceiling.max_attempts + more),
                initial_delay: ceiling.initial_delay + ms * more,
                factor: ceiling.factor + f64::from(more),
                max_delay: ceiling.max_delay + ms * more,
                max_lost: ceiling.max_lost + more,
                ..RetryPolicy::default()
            },
            ..Policy::default()
        };
        assert_eq!(ceiling.over_policy(&at(0)), [], "the ceiling itself is allowed");
        let over = ceiling.over_policy(&at(1));
        assert_eq!(over.len(), 15, "{over:?}");
        let mut policy = Policy::default();
        policy.limits.memory_bytes = 1 << 30;
        assert_eq!(
            ceiling.over_policy(&policy)[0].to_string(),
            "memory: 1G is more than the 512M this host allows"
        );
        let options =
            JobOptions { max_attempts: Some(1_001), timeout: Some(ms * u32::MAX), ..JobOptions::default() };
        let over: Vec<_> = ceiling.over_options(&options).iter().map(OverCeiling::to_string).collect();
        assert_eq!(over[1], "Wasmhost-Max-Attempts: 1001 is more than the 1000 this host allows");
        assert!(
            over[0].starts_with("Wasmhost-Timeout: 49d") && over[0].ends_with("than the 1d this host allows")
        );
    }
}
