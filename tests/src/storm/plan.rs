//! Makes the plan of a storm from a seed: its jobs, and which fault happens when to whom. It does no I/O, and the same seed
//! always gives the same plan.

mod faults;
mod jobs;

use std::time::Duration;

use super::{fault::Planned, job::Job, rng::Rng};

/// The hosts' `--ack-wait`: a host that gives no sign of life for this long loses its jobs. It is short, so that a storm has many
/// takeovers.
pub(super) const ACK_WAIT: Duration = Duration::from_secs(2);

/// What a storm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// All jobs and all faults.
    #[default]
    Everything,
    /// Jobs that do not survive the loss of their hosts, and hosts that are lost for a while and come back, so that the end
    /// that one host writes meets the end that another one wrote.
    LateEnds,
}

/// How large a storm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// How many jobs there are, each with an id of its own.
    pub jobs: usize,
    /// For how long jobs are submitted and faults happen. The quiescence after it takes further time.
    pub time: Duration,
    /// How many hosts run at a time.
    pub hosts: usize,
}

/// The plan of a storm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The seed that the plan was made from.
    pub seed: u64,
    /// What the storm is about.
    pub theme: Theme,
    /// How large the storm is.
    pub scale: Scale,
    /// The jobs, ordered by time.
    pub jobs: Vec<Job>,
    /// The faults, ordered by time.
    pub faults: Vec<Planned>,
}

impl Plan {
    /// The plan of this seed, about everything.
    #[must_use]
    pub fn new(seed: u64, scale: Scale) -> Self {
        Self::about(Theme::default(), seed, scale)
    }

    /// The plan of this seed, about one theme.
    #[must_use]
    pub fn about(theme: Theme, seed: u64, scale: Scale) -> Self {
        let mut rng = Rng::new(seed);
        let jobs = jobs::plan(&mut rng, theme, scale);
        let faults = faults::plan(&mut rng, theme, scale);
        Self { seed, theme, scale, jobs, faults }
    }
}

#[cfg(test)]
mod tests;
