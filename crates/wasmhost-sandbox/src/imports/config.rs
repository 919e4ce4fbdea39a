//! `wasmhost:task/config`: the values that the module's policy gives it.

use super::bindings::wasmhost::task::config::Host;
use crate::guest::TaskState;

impl Host for TaskState {
    async fn get(&mut self, key: String) -> Option<String> {
        self.control.thawed().await;
        self.config.get(&key).cloned()
    }
}
