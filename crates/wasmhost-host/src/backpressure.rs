//! Whether the server takes what this host writes. While a record or a result waits for room, the host announces that it is
//! not ready ([Room](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#room)).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of writes that wait for room on the server. It is cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlockedWrites(Arc<AtomicU32>);

/// One write that waits for room. It counts until it is dropped.
#[derive(Debug)]
pub(crate) struct BlockedWrite(Arc<AtomicU32>);

impl BlockedWrites {
    /// Counts a write as waiting until the returned guard is dropped.
    pub(crate) fn register(&self) -> BlockedWrite {
        self.0.fetch_add(1, Ordering::Relaxed);
        BlockedWrite(self.0.clone())
    }

    /// Returns whether any write waits.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for BlockedWrite {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_blocked_until_the_last_write_is_stored() {
        let writes = BlockedWrites::default();
        assert!(!writes.any());
        let first = writes.register();
        let second = writes.clone().register();
        drop(first);
        assert!(writes.any());
        drop(second);
        assert!(!writes.any());
    }
}
