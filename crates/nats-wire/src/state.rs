//! The state of the connection, which handles can watch.

use crate::server_info::ServerInfo;

/// The state of the connection.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct State {
    /// Whether the client is connected.
    pub connected: bool,
    /// How often the client has connected.
    pub connects: u64,
    /// What the server of the newest connection announced about itself.
    pub info: ServerInfo,
}
