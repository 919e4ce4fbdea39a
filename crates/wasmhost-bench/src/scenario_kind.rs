//! The names of what can be measured.

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scenario {
    /// A queue that was filled before is worked off by one host.
    Drain,
    /// Many callers submit a job each, wait for its result, and begin again.
    Closed,
    /// One caller does so.
    Latency,
}

impl Scenario {
    /// All scenarios, in the order in which they are measured.
    pub const ALL: [Self; 3] = [Self::Drain, Self::Closed, Self::Latency];

    /// The name of the scenario.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Closed => "closed",
            Self::Latency => "latency",
        }
    }
}
