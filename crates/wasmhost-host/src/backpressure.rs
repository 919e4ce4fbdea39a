//! Whether the server had room for what this host wrote: while records wait for room, the host is not ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many records wait for room.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlockedWrites(Arc<AtomicU32>);

/// One record that waits, until dropped.
#[derive(Debug)]
pub(crate) struct BlockedWrite(Arc<AtomicU32>);

impl BlockedWrites {
    pub(crate) fn register(&self) -> BlockedWrite {
        self.0.fetch_add(1, Ordering::Relaxed);
        BlockedWrite(self.0.clone())
    }

    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for BlockedWrite {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
