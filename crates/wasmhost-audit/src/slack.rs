//! How far times may differ before a difference is a violation.

use std::time::Duration;

/// How far times may differ before a difference is a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slack {
    /// The most by which the clocks of hosts, clients and the server may differ.
    pub clock: Duration,
    /// How long after the end of its job an attempt may still start. A host learns of the end at its next beat, so this is
    /// at least a third of the acknowledgement wait.
    pub beat: Duration,
}

impl Default for Slack {
    /// One second for clocks, and a third of the default acknowledgement wait of 30 s for beats.
    fn default() -> Self {
        Self { clock: Duration::from_secs(1), beat: Duration::from_secs(10) }
    }
}
