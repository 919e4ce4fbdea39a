//! What a client says of each of its writes: who writes, when, and with which write id.

use wasmhost_nats::{now, random_write_id};
use wasmhost_protocol::machine::{Transition, WriteIntent, Writer};

/// The intent of a client to make this transition now.
pub(crate) fn client_intent(transition: Transition) -> WriteIntent {
    WriteIntent { transition, writer: Writer::Client, now: now(), write: random_write_id() }
}
