//! The presence of hosts: each host renews a key of its own in the hosts bucket, and the bucket drops what is not
//! renewed.

use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::names::header;
use wasmhost_protocol::presence::HostPresence;

use crate::connect::Connection;
use crate::direct::newest;
use crate::publication::{Publication, publish};
use crate::read_error::ReadError;

/// Why a host's presence was not written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("write the presence of host {host}: {text}")]
#[non_exhaustive]
pub struct AnnounceError {
    /// The host.
    pub host: HostId,
    /// What went wrong.
    pub text: String,
}

/// Writes or renews the presence of a host.
pub async fn announce(connection: &Connection, presence: &HostPresence) -> Result<(), AnnounceError> {
    let value = serde_json::to_vec(presence).expect("a presence can be written as JSON");
    write(connection, &presence.id, Publication::new(value.into())).await
}

/// Removes the presence of a host that ends.
pub async fn withdraw(connection: &Connection, host: &HostId) -> Result<(), AnnounceError> {
    write(connection, host, Publication::default().header(header::KV_OPERATION, header::KV_DELETE)).await
}

/// Lists the hosts that run now. A key that cannot be read is left out.
pub async fn hosts(connection: &Connection) -> Result<Vec<HostPresence>, ReadError> {
    let stream = connection.names.hosts_stream();
    let filter = connection.names.hosts_filter();
    let messages = newest(connection, &stream, &filter).await?;
    // A delete marker has no body, and so is left out, too.
    Ok(messages.iter().filter_map(|message| serde_json::from_slice(&message.payload).ok()).collect())
}

async fn write(connection: &Connection, host: &HostId, message: Publication) -> Result<(), AnnounceError> {
    // No compare-and-set: a host has its key for itself.
    let written = publish(connection, &connection.names.host_subject(host), message).await;
    written.map(drop).map_err(|failure| AnnounceError { host: host.clone(), text: failure.into_text() })
}
