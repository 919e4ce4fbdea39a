//! The policy of a module, and how long it keeps the records of its jobs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::retry::RetryPolicy;
use crate::duration::as_text;
use crate::record::Record;

/// A `Policy` is everything that the publisher of a module asks for. It is stored with each version of the
/// module. Build it from [`Policy::default`], since later versions may add settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The limits of one attempt.
    pub limits: Limits,
    /// When a failed attempt is followed by another one.
    pub retry: RetryPolicy,
    /// Whether the record of a running job shows STARTED. Otherwise it shows PENDING until the task's first
    /// custom state.
    pub track_started: bool,
    /// How long the terminal record of a job that ran is kept; by default 24 h.
    #[serde(with = "as_text")]
    pub result_ttl: Duration,
    /// The values that the task reads through `wasmhost:task/config`.
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
    /// The record of a job that never ran is kept for this long.
    pub const NEVER_RAN_TTL: Duration = Duration::from_secs(3600);

    /// Returns how long the record of an ended job is kept: [`Self::NEVER_RAN_TTL`] if it never ran, else
    /// [`Self::result_ttl`] of what the job asked for in `Wasmhost-Result-TTL`.
    #[must_use]
    pub fn terminal_ttl(&self, ended: &Record, asked: Option<Duration>) -> Duration {
        if ended.attempt == 0 {
            return Self::NEVER_RAN_TTL;
        }
        self.result_ttl(asked)
    }

    /// Returns how long the record and the result of a job that ran are kept: as long as the job asked for,
    /// else as long as the policy says. Zero asks to drop the result and says nothing of the record.
    #[must_use]
    pub fn result_ttl(&self, asked: Option<Duration>) -> Duration {
        asked.filter(|ttl| !ttl.is_zero()).unwrap_or(self.result_ttl)
    }
}
