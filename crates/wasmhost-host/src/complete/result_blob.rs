//! A result that is stored as a blob, because it is too large for a record.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use wasmhost_nats::fault;

/// How much longer than its record a result lives. The record must be written within this time, counted from when the storing of
/// the result began.
const MARGIN: Duration = Duration::from_secs(120);

/// A result that is stored as a blob.
pub(super) struct ResultBlob {
    pub(super) name: String,
    pub(super) bytes: Bytes,
    /// When its storing began.
    pub(super) since: Instant,
}

/// Why a result was not stored.
pub(super) enum NotStored {
    /// The job was revoked meanwhile, and needs no result.
    Revoked,
    /// The record is another's, or the host leaves.
    NotOurs,
}

/// Returns how much longer than its record a result lives.
pub(super) fn margin() -> Duration {
    fault::result_margin().unwrap_or(MARGIN)
}
