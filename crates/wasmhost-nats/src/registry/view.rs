//! A copy of the registry that follows it, so that a claim needs no request. It reads what is new by its numbers, from the
//! leader, whenever it hears of a change and every few seconds; the server holds nothing for it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::timestamp::Timestamp;

use super::version::Version;
use crate::backoff::Backoff;
use crate::connect::Connection;

mod follow;

type Modules = HashMap<ModuleName, Vec<Version>>;

/// The modules and their histories, as last heard. Empty until [`RegistryView::run`] runs; cheap to clone.
#[derive(Debug, Clone)]
pub struct RegistryView {
    connection: Connection,
    modules: Arc<RwLock<Modules>>,
    loaded: Arc<watch::Sender<bool>>,
    changes: Arc<watch::Sender<u64>>,
    /// When the bucket was made that was read last.
    created: Arc<watch::Sender<Option<Timestamp>>>,
}

impl RegistryView {
    /// A view that knows nothing yet.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        let loaded = Arc::new(watch::Sender::new(false));
        let (changes, created) = (Arc::new(watch::Sender::new(0)), Arc::new(watch::Sender::new(None)));
        Self { connection: connection.clone(), modules: Arc::default(), loaded, changes, created }
    }

    /// The current version; none if the module is unknown or removed.
    #[must_use]
    pub fn get(&self, name: &ModuleName) -> Option<ModuleEntry> {
        let modules = self.modules.read().unwrap_or_else(PoisonError::into_inner);
        modules.get(name)?.last()?.entry.clone()
    }

    /// The newest entry with this digest in the module's history, even of a removed module.
    #[must_use]
    pub fn with_digest(&self, name: &ModuleName, digest: &Digest) -> Option<ModuleEntry> {
        let modules = self.modules.read().unwrap_or_else(PoisonError::into_inner);
        let mut entries = modules.get(name)?.iter().rev().filter_map(|version| version.entry.as_ref());
        entries.find(|entry| entry.digest == *digest).cloned()
    }

    /// Returns once everything that stood in the registry when `run` began is known.
    pub async fn loaded(&self) {
        // The sender lives as long as `self`: there is no other way to end.
        let _ = self.loaded.subscribe().wait_for(|loaded| *loaded).await;
    }

    /// Wakes at each change that was read, with the registry's newest revision.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Follows the registry until the token is cancelled. Drive it on the caller's tracker.
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
        // Dropping it loses nothing: each begins with what is known.
        token.run_until_cancelled(follow).await.unwrap_or(());
    }
}
