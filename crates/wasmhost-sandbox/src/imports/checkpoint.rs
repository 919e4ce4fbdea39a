//! `wasmhost:task/checkpoint`: bytes that the next attempt of the job can go on from. The newest checkpoint wins, and
//! the host stores it.

use bytes::Bytes;

use super::bindings::wasmhost::task::checkpoint::{Host, SaveError};
use crate::guest::TaskState;

impl Host for TaskState {
    async fn load(&mut self) -> Option<Vec<u8>> {
        self.control.thawed().await;
        self.checkpoint.as_ref().map(|bytes| bytes.to_vec())
    }

    async fn save(&mut self, data: Vec<u8>) -> Result<(), SaveError> {
        self.control.thawed().await;
        self.refusals.mark_survived();
        if self.control.is_cancelled() {
            return Err(SaveError::Cancelled);
        }
        if data.len() as u64 > self.limits.checkpoint_bytes {
            return Err(SaveError::TooLarge(self.limits.checkpoint_bytes));
        }
        let bytes = Bytes::from(data);
        // The guest reads its own checkpoint back at once, whether or not the host has stored it.
        self.checkpoint = Some(bytes.clone());
        self.updates.post_checkpoint(bytes);
        Ok(())
    }
}
