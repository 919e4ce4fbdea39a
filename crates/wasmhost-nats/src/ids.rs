//! Random bits from the operating system, and SHA-256.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::json::canonical;
use wasmhost_protocol::names::ChunksId;
use wasmhost_protocol::record::{Token, WriteId};

/// Bytes whose hashing holds nobody up: a fraction of a millisecond.
const DONE_AT_ONCE: usize = 128 << 10;

/// A new fence.
#[must_use]
pub fn random_token() -> Token {
    Token::from_random(random_bits())
}

/// A new mark of one intended write.
#[must_use]
pub fn random_write() -> WriteId {
    WriteId::from_random(random_bits())
}

/// The SHA-256 digest of `bytes`.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

/// The same of many bytes, on another thread.
pub(crate) async fn digest_of_many(bytes: &Bytes) -> Digest {
    let hashed = bytes.clone();
    heavy(bytes.len(), move || digest_of(&hashed)).await
}

/// Work on so many bytes, on another thread where it would hold up what waits on this one, such as beats.
pub(crate) async fn heavy<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if bytes <= DONE_AT_ONCE {
        return work();
    }
    tokio::task::spawn_blocking(work).await.expect("hashing and copying do not panic")
}

/// The digest of a job's arguments: of their canonical form, so that spaces and the order of keys make no other job.
#[must_use]
pub fn args_digest_of(arguments: &[u8]) -> Digest {
    digest_of(&canonical(arguments))
}

/// Whether a record's `args_digest` is of these arguments. Earlier clients took that of the text as it was, which is also the one of most
/// texts that programs write, and costs less.
#[must_use]
pub fn is_args_digest_of(digest: Digest, arguments: &[u8]) -> bool {
    digest == digest_of(arguments) || digest == args_digest_of(arguments)
}

/// A new id for the chunks of an upload.
pub(crate) fn random_chunks() -> ChunksId {
    ChunksId::from_random(random_bits())
}

fn random_bits() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("an operating system without random bits cannot fence anything");
    u128::from_le_bytes(bytes)
}

/// A random number below one.
pub(crate) fn fraction() -> f64 {
    let bits = u32::try_from(random_bits() >> 96).expect("32 bits are left");
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt;
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn many_bytes_are_hashed_on_another_thread_and_few_at_once() {
        let (go_on, waits) = mpsc::channel::<()>();
        let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            // The only other thread there is does nothing until it is let go.
            let _busy = tokio::task::spawn_blocking(move || waits.recv());
            let (few, many) = (Bytes::from(vec![7; DONE_AT_ONCE]), Bytes::from(vec![7; DONE_AT_ONCE + 1]));
            assert_eq!(digest_of_many(&few).now_or_never(), Some(digest_of(&few)));
            let mut hashing = Box::pin(digest_of_many(&many));
            assert!((&mut hashing).now_or_never().is_none(), "this thread has not done it");
            drop(go_on);
            assert_eq!(hashing.await, digest_of(&many));
        });
    }
}
