//! The client itself: a connection and what all operations share. Each operation is in a file of its own, which adds its
//! methods to [`Client`].

use std::sync::Arc;
use std::time::Duration;

use wasmhost_nats::{ConnectError, Connection, Records};

use crate::config::{ClientConfig, PUBLISH_TIMEOUT};
use crate::manifests::Manifests;
use crate::turns::Turns;

/// Submits jobs, follows them and manages modules. It is cheap to clone, and clones share one connection.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    connection: Connection,
    records: Records,
    publish_timeout: Duration,
    manifests: Manifests,
    turns: Turns,
}

impl Client {
    /// Connects to the server that `config` names.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, refuses the credentials or is too old.
    pub async fn connect(config: ClientConfig) -> Result<Self, ConnectError> {
        let connection = Connection::open(&config.connect).await?;
        Ok(Self::with_publish_timeout(connection, config.publish_timeout))
    }

    /// Makes a client that uses a connection which is open already.
    #[must_use]
    pub fn with_connection(connection: Connection) -> Self {
        Self::with_publish_timeout(connection, PUBLISH_TIMEOUT)
    }

    /// Makes a client over a connection, for hosts that reconcile sooner than after 60 s; see
    /// [`ClientConfig::publish_timeout`].
    #[must_use]
    pub fn with_publish_timeout(connection: Connection, publish_timeout: Duration) -> Self {
        let records = Records::new(&connection);
        // Clones share the manifests too, so that each module is read once for all of them.
        Self {
            shared: Arc::new(Shared {
                connection,
                records,
                publish_timeout,
                manifests: Manifests::default(),
                turns: Turns::default(),
            }),
        }
    }

    /// The connection that all operations of this client use.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.shared.connection
    }

    pub(crate) fn records(&self) -> &Records {
        &self.shared.records
    }

    pub(crate) fn manifests(&self) -> &Manifests {
        &self.shared.manifests
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.shared.turns
    }

    pub(crate) fn publish_timeout(&self) -> Duration {
        self.shared.publish_timeout
    }
}
