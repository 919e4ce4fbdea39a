//! The stages of a host's life: it serves, it closes (takes no more work), it drains (hands off what still runs).

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The stages of a host's life, shared by everything that runs in it. It is cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct LifeCycle {
    /// Every task that the host spawns. The host ends when all of them have ended.
    pub(crate) tracker: TaskTracker,
    /// Cancelled when the host stops taking work.
    pub(crate) closing: CancellationToken,
    /// Cancelled when the grace period of a drain is over: guests are stopped and their jobs are handed off.
    pub(crate) draining: CancellationToken,
}
