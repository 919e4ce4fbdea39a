//! Connections by nats-wire, which frames messages by their lengths alone: the edge connection, for whatever strangers can
//! send and for large bodies, and the records connection, on which leases and records depend and which neither delays
//! ([Edge](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#edge)).

use std::sync::Arc;

use nats_wire::{Config, Notice, Wire};
use tokio::sync::OnceCell;

use crate::connect::config::{ConnectConfig, PING_EVERY};
use crate::connect::error::ConnectError;
use crate::denials::Denials;
use crate::limited;
use crate::servers::{self, BadAddress};

/// A connection by nats-wire, which is made when it is first needed.
#[derive(Debug, Clone)]
pub(crate) struct LazyWire {
    config: Config,
    wire: Arc<OnceCell<Wire>>,
}

impl LazyWire {
    /// Configures the connection like that of async-nats, without connecting. `purpose` is what the server shows beside its name.
    pub(crate) fn new(
        config: &ConnectConfig,
        purpose: &str,
        denials: &Denials,
    ) -> Result<Self, ConnectError> {
        let (servers, _) = servers::split(&config.url);
        let mut wire = Config::new(servers.iter().map(String::as_str))
            .map_err(|bad| BadAddress { address: bad.text, why: bad.why.to_owned() })?;
        wire.auth = config.identity()?.auth();
        wire.tls.required = config.tls_ca.is_some() || config.tls_cert.is_some();
        wire.tls.ca = config.tls_ca.clone();
        wire.tls.identity = config.tls_cert.clone().zip(config.tls_key.clone());
        wire.tls.first = config.tls_first;
        wire.name = format!("{} ({purpose})", config.name);
        wire.connect_timeout = config.connect_timeout;
        wire.reconnect_delay = config.reconnect_delay;
        wire.ping_interval = PING_EVERY;
        let denials = denials.clone();
        wire.observer = Some(Arc::new(move |notice| note(&notice, &denials)));
        Ok(Self { config: wire, wire: Arc::default() })
    }

    /// Reads the certificates that are named, so that a mistake is reported before any server is asked.
    pub(crate) async fn check(&self) -> Result<(), ConnectError> {
        self.config.tls.check().await.map_err(|source| ConnectError::Certificate { source })
    }

    /// The connection. The first call connects, to one of the configured servers or of those that the cluster `announced` to
    /// the first connection.
    pub(crate) async fn wire(&self, announced: impl Fn() -> Vec<String>) -> Result<&Wire, ConnectError> {
        if let Some(wire) = self.wire.get() {
            return Ok(wire);
        }
        // Boxed, since the handshake would make each future that sends anything kilobytes larger.
        Box::pin(self.connect(announced)).await
    }

    async fn connect(&self, announced: impl Fn() -> Vec<String>) -> Result<&Wire, ConnectError> {
        let config = || {
            let mut config = self.config.clone();
            config.servers = config.servers_with(&announced());
            config
        };
        let connecting = self.wire.get_or_try_init(|| Wire::connect(config()));
        connecting.await.map_err(|source| {
            let url = self.config.servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            match source {
                nats_wire::ConnectError::Denied(_) => ConnectError::Denied { url, source: Box::new(source) },
                source => ConnectError::Unreachable { url, source: Box::new(source) },
            }
        })
    }
}

fn note(notice: &Notice, denials: &Denials) {
    match notice {
        Notice::Connected => {}
        Notice::Disconnected(why) => tracing::warn!(why, "lost a connection to NATS; reconnecting"),
        Notice::NotYet(why) => tracing::debug!(why, "cannot make a connection to NATS yet"),
        Notice::ServerError(error) => {
            denials.note(error);
            limited!(warn, error, "the NATS server reported an error");
        }
        Notice::Dropped { subject, count } => {
            tracing::warn!(subject, count, "messages came faster than they could be taken, and were dropped");
        }
        _ => tracing::debug!(?notice, "a connection to NATS"),
    }
}
