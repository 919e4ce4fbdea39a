//! What a host uses on the server: its connection, the records, the registry of modules, and the states bucket's age.

use tokio_util::sync::CancellationToken;
use wasmhost_nats::{Connection, Records, RegistryView};

use crate::states_bucket::StatesBucket;

/// What a host uses on the server. It is cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    pub(crate) connection: Connection,
    pub(crate) records: Records,
    /// A local copy of the registry, which may lag behind a push.
    pub(crate) registry: RegistryView,
    /// When the states bucket was created.
    pub(crate) bucket: StatesBucket,
}

impl Storage {
    /// Creates the storage of a host that takes work until `draining` is cancelled.
    pub(crate) fn new(connection: Connection, draining: &CancellationToken) -> Self {
        let records = Records::new(&connection);
        let registry = RegistryView::new(&connection);
        let bucket = StatesBucket::new(records.clone(), connection.names.states_bucket(), draining.clone());
        Self { connection, records, registry, bucket }
    }
}
