//! The states bucket itself. What is done with its records is in the files beside this one.

use wasmhost_protocol::timestamp::Timestamp;

use crate::connect::Connection;
use crate::read_error::ReadError;
use crate::streams::stream_state;

/// The states bucket, which holds one record for each job. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Records {
    pub(super) connection: Connection,
}

impl Records {
    /// Names the states bucket of this connection's deployment. Nothing is read.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone() }
    }

    /// Asks for the newest revision in the bucket, of any key.
    pub async fn last_revision(&self) -> Result<u64, ReadError> {
        Ok(stream_state(&self.connection, &self.connection.names.states_stream()).await?.last)
    }

    /// Asks when the bucket was made. One that was recreated has forgotten the jobs that it held before.
    pub async fn created(&self) -> Result<Timestamp, ReadError> {
        Ok(stream_state(&self.connection, &self.connection.names.states_stream()).await?.created)
    }
}
