//! A result in the blob store.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use wasmhost_nats::fault;

/// How much longer than its record a result lives: so long its record may take to be written.
const MARGIN: Duration = Duration::from_secs(120);

/// A result in the blob store.
pub(super) struct ResultBlob {
    pub(super) name: String,
    pub(super) bytes: Bytes,
    /// From then on its record must be written within the margin.
    pub(super) since: Instant,
}

/// Why a result was not stored.
pub(super) enum Unstored {
    /// The job was revoked meanwhile.
    Revoked,
    /// The record is another's, or the host leaves.
    Gone,
}

/// How much longer than its record a result lives.
pub(super) fn margin() -> Duration {
    fault::result_margin().unwrap_or(MARGIN)
}
