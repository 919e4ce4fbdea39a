//! What a module may use and how its jobs are retried: stored with the module, so it can only ask.

mod ceiling;
mod review;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ErrorKind;
use crate::bounds;
use crate::duration::{as_optional_text, as_text};

pub use ceiling::{Ceiling, Over};
pub use review::{BadPolicy, Beside};

/// Limits of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Linear memory, summed over all memories of the store, in bytes.
    pub memory_bytes: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Handles of resources that the guest may hold.
    pub handles: u32,
    /// CPU time.
    #[serde(with = "as_text")]
    pub cpu: Duration,
    /// After this time the task is told to stop; none: never.
    #[serde(with = "as_optional_text")]
    pub soft_timeout: Option<Duration>,
    /// After this time the task is stopped.
    #[serde(with = "as_text")]
    pub timeout: Duration,
    /// Size of the result's JSON text, in bytes.
    pub result_bytes: u64,
    /// Size of a state's meta, in bytes.
    pub meta_bytes: u64,
    /// Size of a checkpoint, in bytes.
    pub checkpoint_bytes: u64,
    /// State updates written a second.
    pub updates_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 128 << 20,
            table_elements: 100_000,
            handles: 10_000,
            cpu: Duration::from_secs(30),
            soft_timeout: None,
            timeout: Duration::from_secs(300),
            result_bytes: 16 << 20,
            meta_bytes: 8 << 10,
            checkpoint_bytes: 1 << 20,
            updates_per_second: 20,
        }
    }
}

impl Limits {
    /// Arguments as JSON text, in bytes: refused before publishing, and by `run` alike.
    pub const ARGUMENT_BYTES: usize = 512 << 10;
    /// Results up to this many bytes of JSON stand in the record, larger ones in a blob.
    pub const INLINE_RESULT_BYTES: usize = 64 << 10;
    /// Error messages and backtraces are cut to this many bytes each.
    pub const ERROR_TEXT_BYTES: usize = 4 << 10;
    /// The reason of a revoke is cut to this many bytes.
    pub const REASON_BYTES: usize = 1 << 10;
    /// A module's size in bytes.
    pub const MODULE_BYTES: usize = 64 << 20;
}

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

/// Everything that a module's publisher may set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Limits of one attempt.
    pub limits: Limits,
    /// When a failed attempt is followed by another.
    pub retry: RetryPolicy,
    /// Whether a running job reads STARTED; else PENDING until its first custom state.
    pub track_started: bool,
    /// How long a terminal record is kept.
    #[serde(with = "as_text")]
    pub result_ttl: Duration,
    /// Values that the task reads through `wasmhost:task/config`.
    pub config: BTreeMap<String, String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            track_started: true,
            result_ttl: Duration::from_secs(24 * 3600),
            config: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// How long the record of a job that never ran is kept.
    pub const NEVER_RAN_TTL: Duration = Duration::from_secs(3600);
}
