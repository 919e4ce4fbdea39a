//! The hosts that run now.

use wasmhost_nats::{ReadError, hosts};
use wasmhost_protocol::presence::HostPresence;

use crate::client::Client;

impl Client {
    /// The hosts that run now, as each last said.
    pub async fn hosts(&self) -> Result<Vec<HostPresence>, ReadError> {
        hosts::hosts(self.connection()).await
    }
}
