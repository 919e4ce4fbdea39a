//! Waiting with one limit, so that a test that would hang fails and says what it waited for.

use std::{future::Future, time::Duration};

use anyhow::Context;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How long anything may take. It is generous, because only a test that fails uses it up.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The pause between two reads of what gives no signal.
const READ_EVERY: Duration = Duration::from_millis(20);

/// Waits for a future, no longer than [`LIMIT`].
///
/// # Errors
///
/// It takes longer; the error says `what` was waited for.
pub async fn within<T>(what: &str, awaited: impl Future<Output = T>) -> anyhow::Result<T> {
    timeout(LIMIT, awaited).await.with_context(|| format!("waited {} s for: {what}", LIMIT.as_secs()))
}

/// Reads again and again until there is something: for what another process does without a signal.
///
/// # Errors
///
/// Reading fails, or it takes longer than [`LIMIT`].
pub async fn until<T>(
    what: &str,
    mut read: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let reading = async {
        let mut ticks = interval(READ_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(seen) = read().await? {
                return Ok(seen);
            }
        }
    };
    within(what, reading).await?
}

/// Waits until a condition holds.
///
/// # Errors
///
/// As [`until`].
pub async fn until_true(
    what: &str,
    mut holds: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    until(what, async || Ok(holds().await?.then_some(()))).await
}
