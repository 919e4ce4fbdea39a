//! The stages of a host's life, for all that runs in it: serving, closing (takes no more work), draining (hands off what
//! still runs).

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The stages of a host's life. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct LifeCycle {
    /// Everything that the host spawns: it ends when all of this has ended.
    pub(crate) tracker: TaskTracker,
    /// Cancelled when the host stops taking work.
    pub(crate) closing: CancellationToken,
    /// Cancelled when the grace period of a drain is over: guests are stopped, their jobs are handed off.
    pub(crate) draining: CancellationToken,
}
