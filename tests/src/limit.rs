//! Waiting: one limit for everything, so that a test that hangs fails and says for what it waited.

use std::{future::Future, time::Duration};

use anyhow::Context;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How long anything may take. Generous: it is only used up by a test that fails.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Between two looks at what gives no signal.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits for a future, no longer than [`LIMIT`].
///
/// # Errors
///
/// Where it takes longer; the error says `what` was waited for.
pub async fn within<T>(what: &str, awaited: impl Future<Output = T>) -> anyhow::Result<T> {
    timeout(LIMIT, awaited).await.with_context(|| format!("waited {} s for: {what}", LIMIT.as_secs()))
}

/// Looks until there is something: for what another process does without a signal.
///
/// # Errors
///
/// Where looking fails, or it takes longer than [`LIMIT`].
pub async fn until<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let looking = async {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(seen) = look().await? {
                return Ok(seen);
            }
        }
    };
    within(what, looking).await?
}
