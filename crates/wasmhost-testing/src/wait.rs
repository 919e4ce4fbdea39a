//! Waiting with one limit, so that a test that would hang fails and says what it waited for.

use std::time::Duration;

use futures::{Stream, StreamExt};

/// How long a test waits for what must happen. It is generous, because only a test that fails uses it up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a future, no longer than [`PATIENCE`].
///
/// # Panics
///
/// Where it takes longer; the message says `what` was waited for.
pub async fn within<T>(what: &str, awaited: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, awaited).await {
        Ok(value) => value,
        Err(_) => panic!("waited {} s for: {what}", PATIENCE.as_secs()),
    }
}

/// Waits for the next item of a stream that must have one.
///
/// # Panics
///
/// Where none comes in time, or the stream ends.
pub async fn next_of<T>(stream: &mut (impl Stream<Item = T> + Unpin)) -> T {
    within("the next item of a stream", stream.next()).await.expect("the stream goes on")
}
