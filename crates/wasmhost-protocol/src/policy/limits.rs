//! Limits of one attempt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bounds;
use crate::duration::{as_optional_text, as_text};

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
    pub const ARGUMENT_BYTES: usize = bounds::ARGUMENT_BYTES;
    /// Results up to this many bytes of JSON stand in the record, larger ones in a blob.
    pub const INLINE_RESULT_BYTES: usize = 64 << 10;
    /// Error messages and backtraces are cut to this many bytes each.
    pub const ERROR_TEXT_BYTES: usize = 4 << 10;
    /// The reason of a revoke is cut to this many bytes.
    pub const REASON_BYTES: usize = 1 << 10;
    /// A module's size in bytes.
    pub const MODULE_BYTES: usize = 64 << 20;
}
