//! What one measurement found.

use std::time::Duration;

use crate::processes::Used;

/// Where a drain begins and ends to be measured, in jobs: it is at full speed, and not yet short of jobs.
pub(crate) const EDGE_JOBS: u64 = 200;

/// What one measurement found.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) jobs: u64,
    pub(crate) used: Used,
    /// How long each job took from its submission to its result; empty where nobody waited for single jobs.
    pub(crate) latencies: Vec<Duration>,
}
