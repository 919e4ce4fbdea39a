//! Supervision of the parts that run side by side for as long as the host serves. When one of them ends before the host drains,
//! the whole host ends: without it, the host would go on with a duty that nobody does.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::sync::mpsc;

use crate::life_cycle::LifeCycle;

/// Spawns the parts of a host, and reports the first that fails.
#[derive(Debug, Clone)]
pub(crate) struct Supervisor {
    life: LifeCycle,
    failures: mpsc::Sender<String>,
}

impl Supervisor {
    /// The supervisor of the host with this life cycle. The receiver gets the reason for which the first part failed.
    pub(crate) fn new(life: &LifeCycle) -> (Self, mpsc::Receiver<String>) {
        // Of several failures the first one ends the host: there is no room for more.
        let (failures, first_failure) = mpsc::channel(1);
        (Self { life: life.clone(), failures }, first_failure)
    }

    /// Spawns the work of a part that can fail. It may return without an error only once the host drains.
    pub(crate) fn spawn_fallible<F>(&self, part: &'static str, work: F)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let failures = self.failures.clone();
        let draining = self.life.draining.clone();
        self.life.tracker.spawn(async move {
            let why = match AssertUnwindSafe(work).catch_unwind().await {
                Ok(Ok(())) if draining.is_cancelled() => return,
                Ok(Ok(())) => format!("its {part} ended without a reason"),
                Ok(Err(why)) => why,
                Err(_) => format!("its {part} panicked"),
            };
            drop(failures.try_send(why));
        });
    }

    /// Spawns the work of a part that cannot fail. It may return only once the host drains.
    pub(crate) fn spawn<F>(&self, part: &'static str, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn_fallible(part, async move {
            work.await;
            Ok(())
        });
    }
}
