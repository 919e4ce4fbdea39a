//! When a failed attempt is followed by another.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bounds;
use crate::duration::as_text;
use crate::record::ErrorKind;

/// When a failed attempt is followed by another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryPolicy {
    /// Attempts in all. None: an error ends the job, and a task that asks for a retry gets [`Self::ASKED_ATTEMPTS`].
    pub max_attempts: Option<u32>,
    /// The delay before the first retry.
    #[serde(with = "as_text")]
    pub initial_delay: Duration,
    /// What each further delay is multiplied by.
    pub factor: f64,
    /// The longest delay.
    #[serde(with = "as_text")]
    pub max_delay: Duration,
    /// Kinds of failure that are tried again although they would end the job.
    pub retry_on: Vec<ErrorKind>,
    /// Claims that may end without any outcome; 0: run at most once.
    pub max_lost: u32,
}

impl RetryPolicy {
    /// Attempts of a task that asks for a retry where nothing is set: Celery's three retries.
    pub const ASKED_ATTEMPTS: u32 = 4;
    /// Attempts of a job that may follow one another at once, where that is asked for.
    pub const AT_ONCE_ATTEMPTS: u32 = 10;
    /// The shortest delay behind those: what fails again and again is no loop that keeps a host and its server busy.
    pub const SHORTEST_DELAY: Duration = Duration::from_secs(1);
    /// No delay is longer, whoever asks for it.
    pub const LONGEST_DELAY: Duration = bounds::RETRY_DELAY.most;
    /// Attempts that the host's own faults and hand-offs may cost a job without being charged.
    pub const UNCHARGED_ATTEMPTS: u32 = 10;
    /// From so many claims without an outcome on, a job is a suspect: a host runs at most one at a time, so that the
    /// neighbours of a task that kills hosts never reach `max_lost` with it.
    pub const SUSPECT_LOST: u32 = 2;
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: None,
            initial_delay: Duration::from_secs(1),
            factor: 2.0,
            max_delay: Duration::from_secs(600),
            retry_on: Vec::new(),
            max_lost: 3,
        }
    }
}
