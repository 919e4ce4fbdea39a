//! Everything that a module's publisher may set.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::retry::RetryPolicy;
use crate::duration::as_text;
use crate::record::Record;

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

    /// How long the record of a job that has ended is kept: as the job asked, else as the policy says. A job that never ran
    /// is kept for [`Self::NEVER_RAN_TTL`]. Zero asks to drop the result alone, not its record.
    #[must_use]
    pub fn terminal_ttl(&self, ended: &Record, asked: Option<Duration>) -> Duration {
        if ended.attempt == 0 {
            return Self::NEVER_RAN_TTL;
        }
        self.result_ttl(asked)
    }

    /// How long the record of a job that ran is kept, and its result with it.
    #[must_use]
    pub fn result_ttl(&self, asked: Option<Duration>) -> Duration {
        asked.filter(|ttl| !ttl.is_zero()).unwrap_or(self.result_ttl)
    }
}
