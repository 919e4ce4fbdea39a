//! From a seed to a storm: its jobs, and when which fault befalls whom. Pure: the same seed is the same storm.

mod faults;
mod jobs;

use std::time::Duration;

use super::{fault::Planned, job::Job, rng::Rng};

/// A host without a sign of life for so long loses its jobs. Short, so that a storm sees many takeovers.
pub(super) const ACK_WAIT: Duration = Duration::from_secs(2);

/// What a storm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// All jobs and all faults.
    #[default]
    Everything,
    /// Jobs that do not survive the loss of their hosts, and hosts that are lost for a while and come back: the end that
    /// one writes meets the end that another wrote.
    LateEnds,
}

/// How large a storm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Jobs, each with an id of its own.
    pub jobs: usize,
    /// How long jobs are submitted and things break; the quiescent behind it comes on top.
    pub time: Duration,
    /// Hosts at a time.
    pub hosts: usize,
}

/// A storm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it was made from.
    pub seed: u64,
    /// What it is about.
    pub theme: Theme,
    /// How large it is.
    pub scale: Scale,
    /// The jobs, by time.
    pub jobs: Vec<Job>,
    /// The faults, by time.
    pub faults: Vec<Planned>,
}

impl Plan {
    /// The storm of this seed.
    #[must_use]
    pub fn new(seed: u64, scale: Scale) -> Self {
        Self::about(Theme::default(), seed, scale)
    }

    /// The same about one thing.
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
