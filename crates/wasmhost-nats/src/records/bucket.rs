//! The states bucket: read from its leader, written only by compare-and-set.

use wasmhost_protocol::timestamp::Timestamp;

use crate::connect::Connection;
use crate::read_error::ReadError;
use crate::streams::state_of;

/// The states bucket.
#[derive(Debug, Clone)]
pub struct Records {
    pub(super) connection: Connection,
}

impl Records {
    /// The states bucket on this connection.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone() }
    }

    /// The newest revision in the bucket, of whichever key.
    pub async fn last_revision(&self) -> Result<u64, ReadError> {
        Ok(state_of(&self.connection, &self.connection.names.states_stream()).await?.last)
    }

    /// When the bucket was made: one that was made anew has lost what it held before.
    pub async fn created(&self) -> Result<Timestamp, ReadError> {
        Ok(state_of(&self.connection, &self.connection.names.states_stream()).await?.created)
    }
}
