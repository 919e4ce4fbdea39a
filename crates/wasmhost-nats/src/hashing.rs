//! Hashing and copying of many bytes, away from the threads on which leases are refreshed and records are written.

use bytes::Bytes;
use wasmhost_protocol::digest::Digest;

/// Up to so many bytes are worked on at once: hashing them takes a fraction of a millisecond.
const INLINE_BYTES: usize = 128 << 10;

/// Computes the digest of `bytes`, on another thread where there are many.
pub(crate) async fn digest_of_large(bytes: &Bytes) -> Digest {
    let hashed = bytes.clone();
    off_thread(bytes.len(), move || Digest::of(&hashed)).await
}

/// Does `work` on so many `bytes`, on another thread where there are many: on this one it would delay whatever waits on
/// it, such as the sign of life of a lease.
pub(crate) async fn off_thread<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    if bytes <= INLINE_BYTES {
        return work();
    }
    tokio::task::spawn_blocking(work).await.expect("hashing and copying do not panic")
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
            // The only blocking thread is busy until the test lets it go.
            let _busy = tokio::task::spawn_blocking(move || waits.recv());
            let few = Bytes::from(vec![7; INLINE_BYTES]);
            let many = Bytes::from(vec![7; INLINE_BYTES + 1]);
            assert_eq!(digest_of_large(&few).now_or_never(), Some(Digest::of(&few)));
            let mut hashing = Box::pin(digest_of_large(&many));
            assert!((&mut hashing).now_or_never().is_none(), "this thread has not done it");
            drop(go_on);
            assert_eq!(hashing.await, Digest::of(&many));
        });
    }
}
