//! How large a message the server takes at all.

use super::difference::Difference;
use super::wanted::JOB_BYTES;
use crate::connect::Connection;

/// What a copy of a dead job has beside the message itself: why it died, and headers.
const COPY_BYTES: usize = 32 << 10;
/// The smallest `max_payload` that the largest job and its copy for people fit. Records are smaller, and what is larger goes
/// in pieces.
pub const LEAST_PAYLOAD: usize = JOB_BYTES as usize + COPY_BYTES;

/// How the server's limit differs from what is needed, if it does.
pub(super) fn difference(connection: &Connection) -> Option<Difference> {
    let found = connection.client.max_payload();
    (found < LEAST_PAYLOAD).then(|| Difference {
        object: "nats-server".to_owned(),
        field: "max_payload",
        found: found.to_string(),
        wanted: LEAST_PAYLOAD.to_string(),
        command: "max_payload: 1MB".to_owned(),
    })
}
