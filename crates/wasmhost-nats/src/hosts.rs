//! The hosts that run, each a key that it renews.

use async_nats::jetstream::message::PublishMessage;
use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::names::header;
use wasmhost_protocol::presence::HostPresence;

use crate::connect::Connection;
use crate::direct::newest;
use crate::message::publish;
use crate::read_error::ReadError;

/// A host's key was not written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("write the presence of host {host}: {text}")]
pub struct AnnounceError {
    /// The host.
    pub host: HostId,
    /// What went wrong.
    pub text: String,
}

/// Writes or renews the host's key.
pub async fn announce(connection: &Connection, presence: &HostPresence) -> Result<(), AnnounceError> {
    let value = serde_json::to_vec(presence).expect("a presence can be written as JSON");
    write(connection, &presence.id, PublishMessage::build().payload(value.into())).await
}

/// Removes the host's key.
pub async fn withdraw(connection: &Connection, host: &HostId) -> Result<(), AnnounceError> {
    write(connection, host, PublishMessage::build().header(header::KV_OPERATION, header::KV_DELETE)).await
}

/// The hosts that run now. Keys that cannot be read are left out.
pub async fn hosts(connection: &Connection) -> Result<Vec<HostPresence>, ReadError> {
    let (stream, filter) = (connection.names.hosts_stream(), connection.names.hosts_filter());
    let messages = newest(connection, &stream, &filter).await?;
    Ok(messages.iter().filter_map(|message| serde_json::from_slice(&message.payload).ok()).collect())
}

async fn write(connection: &Connection, host: &HostId, message: PublishMessage) -> Result<(), AnnounceError> {
    let written = publish(connection, &connection.names.host_subject(host), message).await;
    written.map(drop).map_err(|unstored| AnnounceError { host: host.clone(), text: unstored.into_text() })
}
