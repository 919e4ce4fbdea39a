//! What a host has on the server: a connection, the records, the registry of modules, and what it knows of the records'
//! bucket. Cheap to clone.

use tokio_util::sync::CancellationToken;
use wasmhost_nats::{Connection, Records, RegistryView};

use crate::states_bucket::StatesBucket;

/// What a host has on the server.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    pub(crate) connection: Connection,
    pub(crate) records: Records,
    /// The modules, as last heard.
    pub(crate) registry: RegistryView,
    /// The bucket of records.
    pub(crate) bucket: StatesBucket,
}

impl Storage {
    /// Of a host that takes work until `closing` is cancelled.
    pub(crate) fn new(connection: Connection, closing: &CancellationToken) -> Self {
        let records = Records::new(&connection);
        let registry = RegistryView::new(&connection);
        let bucket = StatesBucket::new(records.clone(), connection.names.states_bucket(), closing.clone());
        Self { connection, records, registry, bucket }
    }
}
