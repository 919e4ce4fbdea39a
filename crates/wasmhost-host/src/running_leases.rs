//! The leases of the attempts that this host runs at the moment, by the key of their job, so that a revoke or a newer delivery
//! reaches the lease that it concerns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::Token;

use crate::delivery::Delivery;

/// The most wakes that wait for one lease. A wake that finds no room is dropped: the next beat reads the record anyway, and a
/// delivery comes again.
const MAX_PENDING_WAKES: usize = 8;

/// The reason for which a lease is woken.
#[derive(Debug)]
pub(crate) enum Wake {
    /// The record may have changed: the lease refreshes it.
    Refresh,
    /// A newer delivery of the job arrived: from now on the lease beats and settles through it.
    Adopt(Box<Delivery>),
}

/// The leases of this host. It is cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningLeases {
    leases: Arc<Mutex<HashMap<JobKey, Entry>>>,
    ended: Arc<Notify>,
}

#[derive(Debug)]
struct Entry {
    token: Token,
    wakes: mpsc::Sender<Wake>,
}

/// The registration of one lease, which lasts until it is dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    leases: RunningLeases,
    key: JobKey,
    token: Token,
    wakes: mpsc::Receiver<Wake>,
}

impl RunningLeases {
    /// Registers the lease of a claim. It replaces that of an earlier claim of the same job.
    pub(crate) fn register(&self, key: &JobKey, token: Token) -> Registration {
        let (sender, wakes) = mpsc::channel(MAX_PENDING_WAKES);
        self.lock().insert(key.clone(), Entry { token, wakes: sender });
        Registration { leases: self.clone(), key: key.clone(), token, wakes }
    }

    /// Returns how many attempts run.
    pub(crate) fn running(&self) -> usize {
        self.lock().len()
    }

    /// Resolves when a lease has ended since the last call.
    pub(crate) async fn lease_ended(&self) {
        self.ended.notified().await;
    }

    /// Returns whether this host runs the attempt of `key` that claimed it with `token`.
    pub(crate) fn runs(&self, key: &JobKey, token: Option<Token>) -> bool {
        self.lock().get(key).is_some_and(|entry| Some(entry.token) == token)
    }

    /// Hands a newer delivery over to the lease that runs its job.
    pub(crate) fn adopt(&self, delivery: Delivery) {
        let key = delivery.key.clone();
        self.wake(&key, Wake::Adopt(Box::new(delivery)));
    }

    /// Wakes the lease of `key`, if there is one.
    pub(crate) fn wake(&self, key: &JobKey, wake: Wake) {
        if let Some(entry) = self.lock().get(key) {
            // Never waited for: whoever wakes a lease has other leases to wake.
            drop(entry.wakes.try_send(wake));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobKey, Entry>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registration {
    /// Waits for the next wake. It is cancel-safe.
    pub(crate) async fn next_wake(&mut self) -> Wake {
        match self.wakes.recv().await {
            Some(wake) => wake,
            // A later claim of the same job on this host replaced the entry, and with it the sender.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut leases = self.leases.lock();
        // The entry may be that of a later claim by now, whose lease lives on.
        if leases.get(&self.key).is_some_and(|entry| entry.token == self.token) {
            leases.remove(&self.key);
        }
        self.leases.ended.notify_one();
    }
}
