//! What a server announces about itself.

use serde::Deserialize;

/// What a server announces about itself in `INFO`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ServerInfo {
    /// The version of the server.
    pub version: String,
    /// The largest message that the server takes, headers included, in bytes.
    pub max_payload: usize,
    /// Whether connections must be encrypted.
    pub tls_required: bool,
    /// The text that a client signs that connects with a key.
    pub nonce: String,
    /// The addresses of the cluster's servers; empty without a cluster.
    pub connect_urls: Vec<String>,
}
