//! Supervision of the parts that run side by side for as long as the host serves. When one of them ends before the host closes,
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

    /// Spawns a part that can fail. It may return without an error only once the host closes.
    pub(crate) fn spawn_fallible<F>(&self, part: F)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let failures = self.failures.clone();
        let closing = self.life.closing.clone();
        self.life.tracker.spawn(async move {
            let why = match AssertUnwindSafe(part).catch_unwind().await {
                Ok(Ok(())) if closing.is_cancelled() => return,
                Ok(Ok(())) => "a part of it ended by itself".to_owned(),
                Ok(Err(why)) => why,
                Err(_) => "a part of it panicked".to_owned(),
            };
            drop(failures.try_send(why));
        });
    }

    /// Spawns a part that cannot fail. It may return only once the host closes.
    pub(crate) fn spawn<F>(&self, part: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn_fallible(async move {
            part.await;
            Ok(())
        });
    }
}
