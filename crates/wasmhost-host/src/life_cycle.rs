//! The stages of a host's life: it serves, it drains (takes no more work), it hands off what still runs.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The stages of a host's life, shared by everything that runs in it. It is cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct LifeCycle {
    /// Every task that the host spawns. The host ends when all of them have ended.
    pub(crate) tracker: TaskTracker,
    /// Cancelled when the host begins to drain: it takes no more work.
    pub(crate) draining: CancellationToken,
    /// Cancelled when the grace period of a drain is over: guests are stopped and their jobs are handed off.
    pub(crate) handing_off: CancellationToken,
}
