//! The election of one host of a deployment that scans for all: a lease in the hosts bucket, which the elected host renews and
//! another one takes once it has lapsed. That two believe to be elected, for a moment or because their clocks differ, costs the
//! server something and nobody else: whatever a scan writes is a compare-and-set.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::names::header;
use wasmhost_protocol::timestamp::Timestamp;

use crate::clock::now;
use crate::connect::Connection;
use crate::message::{MessageSelector, read};
use crate::publication::{Publication, publish};
use crate::publish_failure::PublishFailure;
use crate::read_error::ReadError;

/// The lease as the bucket holds it.
#[derive(Debug, Serialize, Deserialize)]
struct ScannerLease {
    scanner: HostId,
    until: Timestamp,
}

/// Why it is not known who is elected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ElectionError {
    /// The lease could not be read.
    #[error("read who scans")]
    Read(#[from] ReadError),
    /// The lease could not be written.
    #[error("write who scans: {0}")]
    Write(String),
}

/// Stands for election: takes the lease, or renews it, for `lease` from now on. Returns false where another host has it.
pub async fn stand(connection: &Connection, host: &HostId, lease: Duration) -> Result<bool, ElectionError> {
    let stream = connection.names.hosts_stream();
    let subject = connection.names.scanner_lease();
    let found = read(connection, &stream, MessageSelector::LastOn(&subject)).await?;
    let held = found.as_ref().and_then(|found| serde_json::from_slice::<ScannerLease>(&found.payload).ok());
    if held.is_some_and(|held| held.scanner != *host && held.until > now()) {
        return Ok(false);
    }
    write(connection, host, now().plus(lease), found.map_or(0, |found| found.sequence)).await
}

/// Gives the lease up, if this host has it.
pub async fn resign(connection: &Connection, host: &HostId) -> Result<(), ElectionError> {
    let stream = connection.names.hosts_stream();
    let subject = connection.names.scanner_lease();
    let Some(found) = read(connection, &stream, MessageSelector::LastOn(&subject)).await? else {
        return Ok(());
    };
    match serde_json::from_slice::<ScannerLease>(&found.payload) {
        Ok(held) if held.scanner == *host => write(connection, host, now(), found.sequence).await.map(drop),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Writes the lease over the revision `expected`. Returns false where somebody else was faster.
async fn write(
    connection: &Connection,
    host: &HostId,
    until: Timestamp,
    expected: u64,
) -> Result<bool, ElectionError> {
    let lease = ScannerLease { scanner: host.clone(), until };
    let body = serde_json::to_vec(&lease).expect("a lease can be written as JSON");
    let message =
        Publication::new(body.into()).header(header::EXPECTED_LAST_SUBJECT_SEQUENCE, &expected.to_string());
    match publish(connection, &connection.names.scanner_lease(), message).await {
        Ok(_) => Ok(true),
        Err(PublishFailure::Conflict) => Ok(false),
        Err(failure) => Err(ElectionError::Write(failure.into_text())),
    }
}
