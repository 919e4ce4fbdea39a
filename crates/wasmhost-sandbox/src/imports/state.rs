//! `wasmhost:task/state`: custom states of the running job, for the host to write into its record. Here a task learns
//! that it was cancelled.

use wasmhost_protocol::ids::StateName;
use wasmhost_protocol::json::Json;

use super::bindings::wasmhost::task::state::{Host, UpdateError};
use crate::guest::TaskState;
use crate::updates::StateUpdate;

impl Host for TaskState {
    async fn update_state(&mut self, state: String, meta: String) -> Result<(), UpdateError> {
        // Without a lease, another host may run the job already: its guest must not have effects through this one.
        self.control.thawed().await;
        self.refusals.mark_survived();
        if self.control.is_cancelled() {
            return Err(UpdateError::Cancelled);
        }
        if meta.len() as u64 > self.limits.meta_bytes {
            return Err(UpdateError::TooLarge(self.limits.meta_bytes));
        }
        let update = parse(&state, meta).map_err(UpdateError::InvalidState)?;
        // Dropping the post loses an update that the host has not taken, and the task learns that from the error.
        tokio::select! {
            biased;
            () = self.updates.post_state(update) => Ok(()),
            () = self.control.cancelled() => Err(UpdateError::Cancelled),
        }
    }
}

fn parse(state: &str, meta: String) -> Result<StateUpdate, String> {
    let state = StateName::parse(state).map_err(|error| error.to_string())?;
    let meta = if meta.is_empty() {
        None
    } else {
        Some(Json::parse(meta).map_err(|error| format!("meta: {error}"))?)
    };
    Ok(StateUpdate { state, meta })
}
