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
    /// One client submits many jobs at once, which nobody runs.
    Submit,
    /// One client submits such jobs one after the other.
    SubmitOne,
}

impl Scenario {
    /// All scenarios, in the order in which they are measured.
    pub const ALL: [Self; 5] = [Self::Drain, Self::Closed, Self::Latency, Self::Submit, Self::SubmitOne];

    /// The part of its ceiling that was usual on two cores when this was written, which is what a change is compared with.
    #[must_use]
    pub fn usual_ratio(self) -> f64 {
        match self {
            Self::Drain => 0.52,
            Self::Closed => 0.55,
            Self::Latency => 0.65,
            Self::Submit => 0.55,
            Self::SubmitOne => 0.85,
        }
    }

    /// The name of the scenario.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Closed => "closed",
            Self::Latency => "latency",
            Self::Submit => "submit",
            Self::SubmitOne => "submit-one",
        }
    }
}
