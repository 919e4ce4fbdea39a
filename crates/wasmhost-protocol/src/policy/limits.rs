//! The limits of one attempt, with their defaults.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bounds;
use crate::duration::{as_optional_text, as_text};

/// `Limits` are what one attempt may use, as the module's policy asks for it. Build them from
/// [`Limits::default`], since later versions may add limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The linear memory in bytes, summed over all memories of the store; by default 128 MiB.
    pub memory_bytes: u64,
    /// The elements of all tables together; by default 100,000.
    pub table_elements: u64,
    /// The handles of resources that the guest may hold; by default 10,000.
    pub handles: u32,
    /// The processor time; by default 30 s.
    #[serde(with = "as_text")]
    pub cpu: Duration,
    /// The wall time after which the task is told to stop; by default `None`, which never tells it.
    #[serde(with = "as_optional_text")]
    pub soft_timeout: Option<Duration>,
    /// The wall time after which the task is stopped; by default 5 min.
    #[serde(with = "as_text")]
    pub timeout: Duration,
    /// The bytes of the result's JSON text; by default 16 MiB.
    pub result_bytes: u64,
    /// The bytes of a state's meta as JSON text; by default 8 KiB.
    pub meta_bytes: u64,
    /// The bytes of a checkpoint; by default 1 MiB.
    pub checkpoint_bytes: u64,
    /// The state updates that are written in a second; by default 20.
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
    /// The most bytes of arguments as JSON text. More is refused before the job is published.
    pub const ARGUMENT_BYTES: usize = bounds::ARGUMENT_BYTES;
    /// Results of at most this many bytes of JSON text are in the record; larger ones are a blob.
    pub const INLINE_RESULT_BYTES: usize = 64 << 10;
    /// The message, the backtrace and the standard error of a failure are cut to this many bytes each.
    pub const ERROR_TEXT_BYTES: usize = 4 << 10;
    /// The reason of a revoke is cut to this many bytes.
    pub const REASON_BYTES: usize = 1 << 10;
    /// The most bytes of a module.
    pub const MODULE_BYTES: usize = 64 << 20;
}
