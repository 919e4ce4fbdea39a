//! What this host runs at the moment, so that a revoke, a drain or a newer delivery reaches the lease it concerns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, mpsc};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::Token;

use crate::delivery::Delivery;

/// Wakes waiting in a lease. One that finds no place is dropped: the next beat sees what it was about, and a delivery comes
/// again.
const WAKES: usize = 8;

/// Why a lease is woken.
#[derive(Debug)]
pub(crate) enum Wake {
    /// Its record may have changed: look.
    Refresh,
    /// A newer delivery of its message: beat and settle through it (R3).
    Adopt(Box<Delivery>),
}

/// The leases of this host.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningLeases {
    leases: Arc<Mutex<HashMap<JobKey, Entry>>>,
    ended: Arc<Notify>,
}

#[derive(Debug)]
struct Entry {
    token: Token,
    wake: mpsc::Sender<Wake>,
}

/// A lease's place among the attempts, until dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    attempts: RunningLeases,
    key: JobKey,
    token: Token,
    wakes: mpsc::Receiver<Wake>,
}

impl RunningLeases {
    pub(crate) fn register(&self, key: &JobKey, token: Token) -> Registration {
        let (wake, wakes) = mpsc::channel(WAKES);
        self.lock().insert(key.clone(), Entry { token, wake });
        Registration { attempts: self.clone(), key: key.clone(), token, wakes }
    }

    pub(crate) fn running(&self) -> usize {
        self.lock().len()
    }

    /// Resolves when a lease has ended since the last call.
    pub(crate) async fn changed(&self) {
        self.ended.notified().await;
    }

    pub(crate) fn runs(&self, key: &JobKey, token: Option<Token>) -> bool {
        self.lock().get(key).is_some_and(|entry| Some(entry.token) == token)
    }

    /// Hands a delivery over to the lease that runs its attempt.
    pub(crate) fn adopt(&self, delivery: Delivery) {
        let key = delivery.key.clone();
        self.wake(&key, Wake::Adopt(Box::new(delivery)));
    }

    /// Wakes the lease of `key`, if there is one.
    pub(crate) fn wake(&self, key: &JobKey, why: Wake) {
        if let Some(entry) = self.lock().get(key) {
            drop(entry.wake.try_send(why));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<JobKey, Entry>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registration {
    /// The next wake. Safe to drop.
    pub(crate) async fn woken(&mut self) -> Wake {
        match self.wakes.recv().await {
            Some(wake) => wake,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut attempts = self.attempts.lock();
        if attempts.get(&self.key).is_some_and(|entry| entry.token == self.token) {
            attempts.remove(&self.key);
        }
        self.attempts.ended.notify_one();
    }
}
