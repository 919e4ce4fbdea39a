//! A connection to a server that is new enough: who we are, TLS, and what the server says beside its answers.

pub(crate) mod config;
pub(crate) mod error;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, context::ContextBuilder};
use async_nats::{Client, ConnectOptions, Event};
use nats_wire::Wire;
use wasmhost_protocol::names::Names;

use crate::denials::Denials;
use crate::edge::LazyWire;
use crate::limited;
use crate::servers::{self, check_url};
use config::PING_EVERY;

pub use config::ConnectConfig;
pub use error::{ConnectError, MINIMUM_SERVER};

/// How long a publish or an API request waits for its answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to a deployment: its servers and its names. Clones share everything.
#[derive(Debug, Clone)]
pub struct Connection(Arc<ConnectionParts>);

/// What the clones of a connection share.
#[derive(Debug)]
pub struct ConnectionParts {
    pub(crate) client: Client,
    /// For streams and consumers; requests wait for their answer five seconds.
    pub(crate) jetstream: jetstream::Context,
    /// The names of the deployment.
    pub names: Names,
    pub(crate) denials: Denials,
    edge: LazyWire,
    records: LazyWire,
}

impl Deref for Connection {
    type Target = ConnectionParts;

    fn deref(&self) -> &ConnectionParts {
        &self.0
    }
}

impl Connection {
    /// Connects and checks the server's version.
    pub async fn open(config: &ConnectConfig) -> Result<Self, ConnectError> {
        check_url(&config.url)?;
        let denials = Denials::new();
        let edge = LazyWire::new(config, "edge", &denials)?;
        let records = LazyWire::new(config, "records", &denials)?;
        config.identity()?.check().await?;
        edge.check().await?;
        let options = options(config).await?.event_callback({
            let denials = denials.clone();
            move |event| {
                note(&event, &denials);
                std::future::ready(())
            }
        });
        let (servers, _) = servers::split(&config.url);
        // A password in the address is never repeated.
        let url = servers.join(",");
        let client = options.connect(servers).await.map_err(|source| refused(&url, source))?;
        let (major, minor, patch) = MINIMUM_SERVER;
        if !client.is_server_compatible(major, minor, patch) {
            let found = client.server_info().version;
            return Err(ConnectError::TooOld { url, found });
        }
        let jetstream = ContextBuilder::new().timeout(ANSWER_TIMEOUT).build(client.clone());
        let names = Names::new(&config.namespace);
        let connection = Self(Arc::new(ConnectionParts { client, jetstream, names, denials, edge, records }));
        // Made at once: everything depends on it, and its task belongs to the runtime of whoever connects.
        connection.records().await?;
        Ok(connection)
    }

    /// The connection for what strangers send and for large bodies: no bytes of a message end it. Made when it is first asked for.
    pub async fn edge(&self) -> Result<&Wire, ConnectError> {
        self.edge.wire(|| self.client.server_info().connect_urls).await
    }

    /// The connection for records, answers to deliveries and requests to JetStream. Neither what strangers send nor the chunks of
    /// large objects come over it, so that they delay no sign of life.
    pub(crate) async fn records(&self) -> Result<&Wire, ConnectError> {
        self.records.wire(|| self.client.server_info().connect_urls).await
    }

    /// The newest permission that the server denied, in its words.
    #[must_use]
    pub fn last_denial(&self) -> Option<String> {
        self.denials.last()
    }
}

fn note(event: &Event, denials: &Denials) {
    match event {
        Event::Disconnected => tracing::warn!("lost the connection to NATS; reconnecting"),
        Event::LameDuckMode => tracing::info!("the NATS server is about to shut down; it will be left"),
        Event::SlowConsumer(_) => tracing::warn!("a NATS subscription is too slow and lost messages"),
        Event::ServerError(error) => {
            denials.note(&error.to_string());
            limited!(warn, %error, "the NATS server reported an error");
        }
        Event::ClientError(error) => limited!(warn, %error, "the NATS client reported an error"),
        Event::Connected | Event::Draining | Event::Closed => {}
    }
}

/// What a server says, by the names of RFC 8446, that does not take a client's certificate, or misses one.
const CERTIFICATE_ALERTS: [&str; 4] =
    ["CertificateRequired", "BadCertificate", "UnknownCA", "UnsupportedCertificate"];

fn refused(url: &str, source: async_nats::ConnectError) -> ConnectError {
    use async_nats::ConnectErrorKind::{Authentication, AuthorizationViolation};
    let url = url.to_owned();
    let cause = std::error::Error::source(&source).map(ToString::to_string).unwrap_or_default();
    // What a server answers to the beginning of TLS is no TLS.
    if cause.contains("InvalidContentType") {
        return ConnectError::NoTls { url };
    }
    if cause.contains("invalid peer certificate") {
        return ConnectError::Untrusted { url, source: Box::new(source) };
    }
    if CERTIFICATE_ALERTS.iter().any(|alert| cause.contains(alert)) {
        return ConnectError::NoCertificate { url, source: Box::new(source) };
    }
    match source.kind() {
        Authentication | AuthorizationViolation => ConnectError::Denied { url, source: Box::new(source) },
        _ => ConnectError::Unreachable { url, source: Box::new(source) },
    }
}

async fn options(config: &ConnectConfig) -> Result<ConnectOptions, ConnectError> {
    let mut options = config.identity()?.sign_in().await?;
    if let Some(ca) = &config.tls_ca {
        options = options.add_root_certificates(ca.clone());
    }
    // Who names certificates does not want to send a password to whoever claims to need none.
    options = options.require_tls(config.tls_ca.is_some() || config.tls_cert.is_some());
    if config.tls_first {
        options = options.tls_first();
    }
    if let Some(delay) = config.reconnect_delay {
        options = options.reconnect_delay_callback(move |_| delay);
    }
    options = match (&config.tls_cert, &config.tls_key) {
        (Some(cert), Some(key)) => options.add_client_certificate(cert.clone(), key.clone()),
        (None, None) => options,
        (Some(_), None) | (None, Some(_)) => return Err(ConnectError::HalfCertificate),
    };
    Ok(options
        .name(&config.name)
        .connection_timeout(config.connect_timeout)
        .ping_interval(PING_EVERY)
        .request_timeout(Some(ANSWER_TIMEOUT)))
}
