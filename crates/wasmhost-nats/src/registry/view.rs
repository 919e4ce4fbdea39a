//! A copy of the registry that follows it, so that a claim needs no request.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_nats::jetstream::consumer::DeliverPolicy;
use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wasmhost_protocol::{Digest, ModuleEntry, ModuleName};

use super::{Version, version};
use crate::backoff::Backoff;
use crate::layout::MODULE_HISTORY;
use crate::replay::{Replay, Replayed, open};
use crate::{Connection, ReadError};

type Modules = HashMap<ModuleName, Vec<Version>>;

/// The modules and their histories, as last heard. Empty until [`RegistryView::run`] runs; cheap to clone.
#[derive(Debug, Clone)]
pub struct RegistryView {
    connection: Connection,
    modules: Arc<RwLock<Modules>>,
    loaded: Arc<watch::Sender<bool>>,
    changes: Arc<watch::Sender<u64>>,
}

impl RegistryView {
    /// A view that knows nothing yet.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        let loaded = Arc::new(watch::Sender::new(false));
        let changes = Arc::new(watch::Sender::new(0));
        Self { connection: connection.clone(), modules: Arc::default(), loaded, changes }
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

    /// Wakes at each change that was heard of, with the registry's newest revision.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Follows the registry until the token is cancelled. Drive it on the caller's tracker.
    pub async fn run(&self, token: CancellationToken) {
        let mut backoff = Backoff::new();
        let follow = async {
            loop {
                let began = tokio::time::Instant::now();
                if let Err(error) = self.follow().await {
                    tracing::warn!(%error, "lost the module registry; trying again");
                }
                if began.elapsed() > std::time::Duration::from_secs(60) {
                    backoff = Backoff::new();
                }
                backoff.wait().await;
            }
        };
        // Dropping it loses nothing: each begins with a replay.
        token.run_until_cancelled(follow).await.unwrap_or(());
    }

    async fn follow(&self) -> Result<(), ReadError> {
        let names = &self.connection.names;
        let (stream, filter) = (names.modules_stream(), names.modules_filter());
        let (count, mut messages) =
            open(&self.connection, Replay::whole(&stream, &filter, DeliverPolicy::All)).await?;
        if count == 0 {
            self.loaded.send_replace(true);
        }
        while let Some(message) = messages.next().await {
            let message = message?;
            self.apply(&message);
            self.changes.send_replace(message.sequence);
            if message.left == 0 {
                self.loaded.send_replace(true);
            }
        }
        Ok(())
    }

    fn apply(&self, message: &Replayed) {
        let Ok(name) = self.connection.names.parse_module_subject(&message.subject) else { return };
        let mut modules = self.modules.write().unwrap_or_else(PoisonError::into_inner);
        let versions = modules.entry(name).or_default();
        if versions.last().is_some_and(|newest| newest.revision >= message.sequence) {
            return;
        }
        versions.push(version(message));
        if versions.len() > MODULE_HISTORY as usize {
            versions.remove(0);
        }
    }
}
