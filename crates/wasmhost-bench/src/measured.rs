//! What one measurement found.

use std::time::Duration;

use crate::processes::Used;

/// What one measurement found.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) jobs: u64,
    pub(crate) used: Used,
    /// How long each job took from its submission to its result; empty where nobody waited for single jobs.
    pub(crate) latencies: Vec<Duration>,
}
