//! A copy of the registry that follows it, so that a claim needs no request. It reads what is new by its numbers, from the
//! leader, whenever it hears of a change and every few seconds; the server holds nothing for it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use nats_wire::{Subscription, Wire};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::timestamp::Timestamp;

use super::version::{Version, version};
use crate::backoff::Backoff;
use crate::connect::Connection;
use crate::direct::page;
use crate::layout::MODULE_HISTORY;
use crate::message::ReadError;
use crate::message::{MessageSelector, read};
use crate::stored::StoredMessage;
use crate::streams::{StreamState, state_of};

/// How often it looks without having heard of a change: two small requests, 60 a second from 300 hosts.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The pauses between looks after word of a change: it is heard of before it is stored.
const LOOKS_AFTER_WORD: [Duration; 5] = [
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(200),
    Duration::from_secs(1),
];
/// Words of changes that wait; more of them say the same.
const WORDS: usize = 16;

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

    async fn follow(&self) -> Result<(), ReadError> {
        let stream = self.connection.names.modules_stream();
        let wire = self
            .connection
            .edge()
            .await
            .map_err(|error| ReadError::Unreachable { subject: stream.clone(), text: error.to_string() })?;
        let mut words = wire.subscribe(self.connection.names.modules_filter(), None, WORDS).await;
        let began = self.load(&stream).await?;
        let mut known = began.last.max(self.catch_up(&stream, began.last).await?);
        self.loaded.send_replace(true);
        let mut looks = LOOKS_AFTER_WORD.iter();
        loop {
            let pause = looks.next();
            if word(wire, &mut words, *pause.unwrap_or(&LOOK_EVERY)).await {
                looks = LOOKS_AFTER_WORD.iter();
            }
            known = self.catch_up(&stream, known).await?;
            if pause.is_none() {
                let state = state_of(&self.connection, &stream).await?;
                if state.created != began.created || state.last < known {
                    return Ok(());
                }
            }
        }
    }

    /// Everything that stands, in place of what was known before. What comes meanwhile is caught up with.
    async fn load(&self, stream: &str) -> Result<StreamState, ReadError> {
        let state = state_of(&self.connection, stream).await?;
        if self.created.send_replace(Some(state.created)).is_some_and(|before| before != state.created) {
            tracing::error!(stream, "the bucket of modules was made anew: push what it held before again");
        }
        let mut modules = Modules::new();
        let (filter, mut from) = (self.connection.names.modules_filter(), Some(1));
        let mut read_up_to = 0;
        while let Some(at) = from {
            let page = page(&self.connection, stream, &filter, at).await?;
            for message in &page.messages {
                self.apply(&mut modules, message);
                read_up_to = message.sequence;
            }
            from = page.next;
        }
        *self.modules.write().unwrap_or_else(PoisonError::into_inner) = modules;
        self.changes.send_replace(read_up_to);
        // A replica may have been behind: from there on the leader is asked.
        Ok(StreamState { last: read_up_to, ..state })
    }

    /// Reads what came after revision `known`; the newest there is then.
    async fn catch_up(&self, stream: &str, known: u64) -> Result<u64, ReadError> {
        let (filter, mut known) = (self.connection.names.modules_filter(), known);
        while let Some(message) =
            read(&self.connection, stream, MessageSelector::From(known + 1, &filter)).await?
        {
            known = message.sequence;
            self.apply(&mut self.modules.write().unwrap_or_else(PoisonError::into_inner), &message);
            self.changes.send_replace(known);
        }
        Ok(known)
    }

    fn apply(&self, modules: &mut Modules, message: &StoredMessage) {
        let Ok(name) = self.connection.names.parse_module_subject(&message.subject) else { return };
        let versions = modules.entry(name).or_default();
        versions.push(version(message));
        if versions.len() > MODULE_HISTORY as usize {
            versions.remove(0);
        }
    }
}

/// Waits until there may be something new, no longer than `limit`; whether that was heard.
async fn word(wire: &Wire, words: &mut Subscription, limit: Duration) -> bool {
    let mut connection = wire.changes();
    connection.mark_unchanged();
    // Dropping the other arms loses nothing: each only wakes.
    let heard = tokio::select! {
        word = words.next() => word.is_some(),
        changed = connection.changed() => changed.is_ok(),
        () = sleep(limit) => false,
    };
    while words.waiting() > 0 && words.next().await.is_some() {}
    heard
}
