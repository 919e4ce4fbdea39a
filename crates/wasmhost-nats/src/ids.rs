//! New ids of 128 random bits. This is the one place that asks the operating system for random bits; the protocol crate
//! only says how an id is written.

use std::cell::RefCell;

use wasmhost_protocol::names::ChunksId;
use wasmhost_protocol::record::{Token, WriteId};

/// Makes a token for a new claim. It is the fence: only writes that carry it may change the job while the attempt runs.
#[must_use]
pub fn random_token() -> Token {
    // Not of the buffer: a machine that is copied while it runs would copy what is in it, and two hosts would make the same fence.
    let mut bytes = [0; size_of::<u128>()];
    getrandom::fill(&mut bytes).expect("an operating system without random bits cannot fence anything");
    Token::from_random(u128::from_le_bytes(bytes))
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

/// Random bytes of the operating system that no id has used yet. Asking for each id by itself would cost a system call each.
struct Unused {
    bytes: [u8; BUFFER_BYTES],
    used: usize,
}

/// Enough for 32 ids.
const BUFFER_BYTES: usize = 512;

thread_local! {
    static UNUSED: RefCell<Unused> = const { RefCell::new(Unused { bytes: [0; BUFFER_BYTES], used: BUFFER_BYTES }) };
}

fn random_bits() -> u128 {
    UNUSED.with_borrow_mut(|unused| {
        if unused.used == BUFFER_BYTES {
            let filled = getrandom::fill(&mut unused.bytes);
            filled.expect("an operating system without random bits cannot fence anything");
            unused.used = 0;
        }
        let next = unused.used + size_of::<u128>();
        let bytes = unused.bytes[unused.used..next].try_into().expect("as many bytes as a number has");
        unused.used = next;
        u128::from_le_bytes(bytes)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bits_are_given_twice() {
        let ids: HashSet<_> = (0..1_000).map(|_| random_bits()).collect();
        assert_eq!(ids.len(), 1_000);
        assert!(!ids.contains(&0), "bits that were never filled in");
    }
}
