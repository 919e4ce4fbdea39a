//! What a client needs to know: how to connect, and for how long it may publish.

use std::time::Duration;

use wasmhost_nats::ConnectConfig;

/// How long after its PENDING record a job may still be published: half of the reconciler's default grace of 60 s, so that
/// no job is published whose record a reconciler ends
/// ([R13](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r13)).
pub const PUBLISH_TIMEOUT: Duration = Duration::from_secs(30);

/// The configuration of a [`Client`](crate::Client).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// How to connect, and as whom.
    pub connect: ConnectConfig,
    /// How long after its PENDING record a job may still be published. Where hosts reconcile sooner than after 60 s, it must
    /// be half of their time.
    pub publish_timeout: Duration,
}

impl ClientConfig {
    /// Configures a connection to the server at `url`, without credentials and in the default namespace.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self::with_connect_config(ConnectConfig::new(url))
    }

    /// Configures a client that connects as `connect` says.
    #[must_use]
    pub fn with_connect_config(connect: ConnectConfig) -> Self {
        Self { connect, publish_timeout: PUBLISH_TIMEOUT }
    }
}
