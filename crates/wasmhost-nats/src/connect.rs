//! A connection to a server that is new enough: who we are, TLS, and what the server says beside its answers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, context::ContextBuilder};
use async_nats::{Client, ConnectOptions, Event};
use nats_wire::Wire;
use tokio::sync::watch;
use wasmhost_protocol::names::{Names, Namespace};

use crate::credentials::Credentials;
use crate::denials::Denials;
use crate::edge::Edge;
use crate::limited;
use crate::servers::{self, BadAddress, check_url};

/// The oldest server with all that the protocol needs: schedules, TTLs, fixes of CVE-2026-33222 and -33248.
pub const MINIMUM_SERVER: (i64, i64, i64) = (2, 12, 6);
/// How long a publish or an API request waits for its answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the server is asked for a sign of life. At the third time without one it is left: a server whose machine died
/// or stands still is noticed within six seconds, while the leases of a host, 30 s as a rule, still hold.
pub(crate) const PING_EVERY: Duration = Duration::from_secs(2);
/// Publishes that may wait for their acknowledgement at a time; further ones wait for room.
const UNACKED_PUBLISHES: usize = 65_536;

/// Where to connect, and how to sign in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectConfig {
    /// `nats://host:port`, or several separated by commas.
    pub url: String,
    /// How the connection signs in.
    pub credentials: Credentials,
    /// Certificates of authorities to trust, in place of the system's; with them a server without TLS is refused.
    pub tls_ca: Option<PathBuf>,
    /// The client's certificate; with `tls_key`.
    pub tls_cert: Option<PathBuf>,
    /// The key of the client's certificate.
    pub tls_key: Option<PathBuf>,
    /// Whether the server waits for encryption before its first word.
    pub tls_first: bool,
    /// The prefix of all names.
    pub namespace: Namespace,
    /// The name of the connection, shown by the server's monitoring.
    pub name: String,
    /// How long to try to connect.
    pub connect_timeout: Duration,
    /// How long to wait before each try to connect again; none: longer each time, up to seconds.
    pub reconnect_delay: Option<Duration>,
}

impl ConnectConfig {
    /// Configures a connection to `url` that does not sign in, with the namespace `wasmhost` and five seconds to connect.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: Credentials::None,
            tls_ca: None,
            tls_cert: None,
            tls_key: None,
            tls_first: false,
            namespace: Namespace::default(),
            name: "wasmhost".to_owned(),
            connect_timeout: Duration::from_secs(5),
            reconnect_delay: None,
        }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A file with credentials cannot be read, or holds something else.
    #[error("read credentials from {}", path.display())]
    Credentials {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is given as the seed of an nkey is none.
    #[error("sign with the seed that is given")]
    Seed {
        /// Why.
        source: std::io::Error,
    },
    /// A file with certificates or a key cannot be read, or holds something else.
    #[error("read a certificate or its key")]
    Certificate {
        /// The file, and why.
        source: std::io::Error,
    },
    /// An address that is none.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// Only one of certificate and key is given.
    #[error("use a client certificate: it needs both the certificate and its key")]
    HalfCertificate,
    /// Certificates are given, and the server speaks without any.
    #[error("connect to NATS at {url}: it speaks no TLS, which the certificates that are given ask for")]
    NoTls {
        /// The server.
        url: String,
    },
    /// The server is not whom the certificates that we trust vouch for.
    #[error("connect to NATS at {url}: its certificate is not trusted")]
    Untrusted {
        /// The server.
        url: String,
        /// What the client says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server asks for a certificate, and has none or another than it wants.
    #[error("connect to NATS at {url}: it asks for a client certificate")]
    NoCertificate {
        /// The server.
        url: String,
        /// What the client says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server does not let us in.
    #[error("connect to NATS at {url}: the credentials are refused")]
    Denied {
        /// The server.
        url: String,
        /// What the client says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No server, or none that talks to us.
    #[error("connect to NATS at {url}")]
    Unreachable {
        /// The server.
        url: String,
        /// What the client says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server is older than the protocol needs.
    #[error(
        "use nats-server {found} at {url}: at least {}.{}.{} is needed, for message schedules, message TTLs and the \
         fixes of CVE-2026-33222 and CVE-2026-33248",
        MINIMUM_SERVER.0, MINIMUM_SERVER.1, MINIMUM_SERVER.2
    )]
    TooOld {
        /// The server.
        url: String,
        /// Its version.
        found: String,
    },
}

/// A connection, its JetStream context and the names of the deployment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// Its JetStream context: publishes wait for room, answers for five seconds.
    pub jetstream: jetstream::Context,
    /// The names of the deployment.
    pub names: Names,
    pub(crate) denials: Denials,
    edge: Edge,
    connects: Arc<watch::Sender<u64>>,
}

impl Connection {
    /// Connects and checks the server's version.
    pub async fn open(config: &ConnectConfig) -> Result<Self, ConnectError> {
        check_url(&config.url)?;
        let denials = Denials::new();
        let edge = Edge::new(config, &denials)?;
        config.identity()?.check().await?;
        edge.check().await?;
        let connects = Arc::new(watch::Sender::new(0));
        let options = options(config).await?.event_callback({
            let (denials, connects) = (denials.clone(), Arc::clone(&connects));
            move |event| {
                note(&event, &denials, &connects);
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
        let jetstream = ContextBuilder::new()
            .timeout(ANSWER_TIMEOUT)
            .ack_timeout(ANSWER_TIMEOUT)
            .max_ack_inflight(UNACKED_PUBLISHES)
            .backpressure_on_inflight(true)
            .build(client.clone());
        Ok(Self { client, jetstream, names: Names::new(&config.namespace), denials, edge, connects })
    }

    /// A second connection, for what strangers send: none of their bytes ends it. Made when it is first asked for.
    pub async fn edge(&self) -> Result<&Wire, ConnectError> {
        self.edge.wire(|| self.client.server_info().connect_urls).await
    }

    /// The newest permission that the server denied, in its words.
    #[must_use]
    pub fn last_denial(&self) -> Option<String> {
        self.denials.last()
    }

    /// How often the connection was made; changes after each loss that was fixed.
    #[must_use]
    pub fn reconnected(&self) -> watch::Receiver<u64> {
        self.connects.subscribe()
    }
}

fn note(event: &Event, denials: &Denials, connects: &watch::Sender<u64>) {
    match event {
        Event::Connected => connects.send_modify(|count| *count += 1),
        Event::Disconnected => tracing::warn!("lost the connection to NATS; reconnecting"),
        Event::LameDuckMode => tracing::info!("the NATS server is about to shut down; it will be left"),
        Event::SlowConsumer(_) => tracing::warn!("a NATS subscription is too slow and lost messages"),
        Event::ServerError(error) => {
            denials.note(&error.to_string());
            limited!(warn, %error, "the NATS server reported an error");
        }
        Event::ClientError(error) => limited!(warn, %error, "the NATS client reported an error"),
        Event::Draining | Event::Closed => {}
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
