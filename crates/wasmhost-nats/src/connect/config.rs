//! Where to connect, and how to sign in.

use std::path::PathBuf;
use std::time::Duration;

use wasmhost_protocol::names::Namespace;

use crate::credentials::Credentials;
use crate::servers::{self, BadAddress};

/// How often the server is asked for a sign of life. At the third time without one it is left: a server whose machine died
/// or stands still is noticed within six seconds, while the leases of a host, 30 s as a rule, still hold.
pub(crate) const PING_EVERY: Duration = Duration::from_secs(2);

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

impl ConnectConfig {
    /// The credentials that are configured, or else those that the address names.
    pub(crate) fn identity(&self) -> Result<Credentials, BadAddress> {
        match &self.credentials {
            Credentials::None => Ok(servers::user_of(&self.url)?.unwrap_or_default()),
            configured => Ok(configured.clone()),
        }
    }
}
