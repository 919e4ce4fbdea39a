//! New ids of 128 random bits. This is the one place that asks the operating system for random bits; the protocol crate
//! only says how an id is written.

use wasmhost_protocol::names::ChunksId;
use wasmhost_protocol::record::{Token, WriteId};

/// Makes a token for a new claim. It is the fence: only writes that carry it may change the job while the attempt runs.
#[must_use]
pub fn random_token() -> Token {
    Token::from_random(random_bits())
}

/// Makes a write id for a new intended write. The same one goes with every try of that write, so that its writer
/// recognises it after an answer was lost.
#[must_use]
pub fn random_write_id() -> WriteId {
    WriteId::from_random(random_bits())
}

/// Makes an id for the chunks of a new upload.
pub(crate) fn random_chunks_id() -> ChunksId {
    ChunksId::from_random(random_bits())
}

fn random_bits() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("an operating system without random bits cannot fence anything");
    u128::from_le_bytes(bytes)
}
