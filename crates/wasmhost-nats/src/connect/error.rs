//! Why there is no connection.

use std::path::PathBuf;

use crate::servers::BadAddress;

/// The oldest server with all that the protocol needs: schedules, TTLs, fixes of CVE-2026-33222 and -33248.
pub const MINIMUM_SERVER: (i64, i64, i64) = (2, 12, 6);

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
