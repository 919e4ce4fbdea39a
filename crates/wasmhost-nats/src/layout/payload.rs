//! The largest message that the server must take.

use super::difference::Difference;
use super::wanted::JOB_BYTES;
use crate::connect::Connection;

/// An upper bound for what a dead-letter copy has beside the message: why the job failed, and headers.
const COPY_BYTES: usize = 32 << 10;
/// The smallest `max_payload` with which the server takes the largest job and its dead-letter copy. Records are
/// smaller, and objects are stored in chunks.
pub const MIN_PAYLOAD: usize = JOB_BYTES as usize + COPY_BYTES;

/// The difference between the server's `max_payload` and the least that is needed, if there is one.
pub(super) fn difference(connection: &Connection) -> Option<Difference> {
    let found = connection.client.max_payload();
    (found < MIN_PAYLOAD).then(|| Difference {
        object: "nats-server".to_owned(),
        field: "max_payload",
        found: found.to_string(),
        wanted: MIN_PAYLOAD.to_string(),
        fix: "max_payload: 1MB".to_owned(),
    })
}
