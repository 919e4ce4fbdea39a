//! The client itself: a connection, and where everything else starts. What it does is in the files of the operations.

use std::sync::Arc;
use std::time::Duration;

use wasmhost_nats::{ConnectError, Connection, Records};
use wasmhost_protocol::ids::JobKey;

use crate::config::ClientConfig;
use crate::config::PUBLISH_WITHIN;
use crate::job::Handle;
use crate::manifests::Manifests;
use crate::modules::Modules;
use crate::submission::SubmissionBuilder;

/// Submits jobs and follows them. Cheap to clone; clones share one connection.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    connection: Connection,
    records: Records,
    publish_within: Duration,
    manifests: Manifests,
}

impl Client {
    /// Connects.
    pub async fn connect(config: ClientConfig) -> Result<Self, ConnectError> {
        let connection = Connection::open(&config.connect).await?;
        Ok(Self::publishing_within(connection, config.publish_within))
    }

    /// A client over a connection that stands already.
    #[must_use]
    pub fn over(connection: Connection) -> Self {
        Self::publishing_within(connection, PUBLISH_WITHIN)
    }

    /// The same, for hosts that reconcile sooner than after 60 s; see [`ClientConfig::publish_within`].
    #[must_use]
    pub fn publishing_within(connection: Connection, publish_within: Duration) -> Self {
        let records = Records::new(&connection);
        Self {
            shared: Arc::new(Shared { connection, records, publish_within, manifests: Manifests::default() }),
        }
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.shared.connection
    }

    /// Starts a submission of the task `module.function`; what is wrong with it is said when it is submitted.
    pub fn task(&self, task: &str) -> SubmissionBuilder {
        SubmissionBuilder::new(self.clone(), task)
    }

    /// A handle on the job with this key, whether or not there is one.
    #[must_use]
    pub fn job(&self, key: &JobKey) -> Handle {
        Handle::new(self.clone(), key.clone())
    }

    /// The module registry.
    #[must_use]
    pub fn modules(&self) -> Modules<'_> {
        Modules::new(self)
    }

    pub(crate) fn records(&self) -> &Records {
        &self.shared.records
    }

    pub(crate) fn manifests(&self) -> &Manifests {
        &self.shared.manifests
    }

    pub(crate) fn publish_within(&self) -> Duration {
        self.shared.publish_within
    }
}
