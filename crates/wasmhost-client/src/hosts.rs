//! The hosts that run now, by what they say of themselves in the hosts bucket.

use wasmhost_nats::{ReadError, hosts};
use wasmhost_protocol::presence::HostPresence;

use crate::client::Client;

impl Client {
    /// Lists the hosts that run now. Each entry is what the host said of itself last, at most 30 s ago.
    pub async fn hosts(&self) -> Result<Vec<HostPresence>, ReadError> {
        hosts::hosts(self.connection()).await
    }
}
