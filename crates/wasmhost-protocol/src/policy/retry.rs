//! The retry policy of a module, and the numbers of retries that no policy changes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bounds;
use crate::duration::as_text;
use crate::record::ErrorKind;

/// A `RetryPolicy` says when a failed attempt is followed by another one. Build it from
/// [`RetryPolicy::default`], since later versions may add settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryPolicy {
    /// The attempts of a job in all; by default `None`, with which an error ends the job and a task that asks
    /// for retries gets [`Self::ASKED_ATTEMPTS`].
    pub max_attempts: Option<u32>,
    /// The delay before the first retry; by default 1 s.
    #[serde(with = "as_text")]
    pub initial_delay: Duration,
    /// The factor by which each further delay grows; by default 2.
    pub factor: f64,
    /// The longest delay between two attempts; by default 10 min.
    #[serde(with = "as_text")]
    pub max_delay: Duration,
    /// The kinds of failure that are tried again although they would end the job; by default none.
    pub retry_on: Vec<ErrorKind>,
    /// The claims that may end without any outcome; by default 3. With 0, a job whose claim ended without an
    /// outcome is not run again.
    pub max_lost: u32,
}

impl RetryPolicy {
    /// The attempts of a task that asks for retries where `max_attempts` is not set: the first one and
    /// Celery's three retries.
    pub const ASKED_ATTEMPTS: u32 = 4;
    /// The attempts of a job that may follow one another without a delay, where the task or the policy asks
    /// for it.
    pub const AT_ONCE_ATTEMPTS: u32 = 10;
    /// The shortest delay after [`Self::AT_ONCE_ATTEMPTS`]. Without it, a task that asks to be tried again at
    /// once, for ever, would keep a host and the server busy with nothing.
    pub const SHORTEST_DELAY: Duration = Duration::from_secs(1);
    /// The longest delay, whoever asks for it.
    pub const LONGEST_DELAY: Duration = bounds::RETRY_DELAY.max;
    /// The attempts that faults of hosts and hand-offs may cost a job before such a fault ends it: a job that
    /// no host can run must end some day.
    pub const UNCHARGED_ATTEMPTS: u32 = 10;
    /// A job with this many claims that ended without an outcome is a suspect. A host lets one suspect begin
    /// at a time, so that the neighbours of a task that kills hosts do not reach `max_lost` together with it.
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
