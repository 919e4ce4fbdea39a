//! A copy of the registry in memory, so that a claim needs no request. How it follows the registry is in
//! `view/follow.rs`.

mod follow;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::timestamp::Timestamp;

use super::version::RunnableVersion;
use crate::backoff::Backoff;
use crate::connect::Connection;

/// What running takes of each version, oldest first; none where a module was removed. Manifests are not kept: those of hundreds of
/// modules would take hundreds of megabytes.
type Modules = HashMap<ModuleName, VecDeque<Option<RunnableVersion>>>;

/// The modules and their histories, as last read. It is empty until [`RegistryView::run`] runs, and cheap to clone.
#[derive(Debug, Clone)]
pub struct RegistryView {
    connection: Connection,
    modules: Arc<RwLock<Modules>>,
    loaded: Arc<watch::Sender<bool>>,
    changes: Arc<watch::Sender<u64>>,
    /// When the bucket was made that was last read.
    created: Arc<watch::Sender<Option<Timestamp>>>,
}

impl RegistryView {
    /// Makes a view that has read nothing yet.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self {
            connection: connection.clone(),
            modules: Arc::default(),
            loaded: Arc::new(watch::Sender::new(false)),
            changes: Arc::new(watch::Sender::new(0)),
            created: Arc::new(watch::Sender::new(None)),
        }
    }

    /// The current version of a module; none if the module is unknown or removed.
    #[must_use]
    pub fn get(&self, name: &ModuleName) -> Option<RunnableVersion> {
        let modules = self.modules.read().unwrap_or_else(PoisonError::into_inner);
        modules.get(name)?.back()?.clone()
    }

    /// The newest version with this digest in the history of a module, even of a removed one.
    #[must_use]
    pub fn with_digest(&self, name: &ModuleName, digest: &Digest) -> Option<RunnableVersion> {
        let modules = self.modules.read().unwrap_or_else(PoisonError::into_inner);
        modules.get(name)?.iter().rev().flatten().find(|version| version.digest == *digest).cloned()
    }

    /// Returns once everything is known that the registry held when `run` began.
    pub async fn loaded(&self) {
        // An error would mean that the sender is gone, and `self` owns it.
        let _ = self.loaded.subscribe().wait_for(|loaded| *loaded).await;
    }

    /// A receiver that wakes at each change that was read, and holds the registry's newest revision.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Follows the registry until the token is cancelled. Run it on the caller's task tracker.
    pub async fn run(&self, token: CancellationToken) {
        let mut backoff = Backoff::new();
        let follow = async {
            loop {
                if let Err(error) = self.follow().await {
                    tracing::warn!(%error, "lost the module registry; trying again");
                }
                backoff.wait().await;
            }
        };
        // Dropping it loses nothing: what was read stays, and the next run reads everything anew.
        token.run_until_cancelled(follow).await.unwrap_or(());
    }
}
