//! `wasmhost:task/config`: the configuration values of the module's policy.

use super::bindings::wasmhost::task::config::Host;
use crate::guest::TaskState;

impl Host for TaskState {
    async fn get(&mut self, key: String) -> Option<String> {
        self.control.thawed().await;
        self.config.get(&key).cloned()
    }
}
