//! How the view follows the registry.

use std::sync::PoisonError;
use std::time::Duration;

use nats_wire::{Subscription, Wire};
use tokio::time::sleep;

use super::{Modules, RegistryView};
use crate::direct::page;
use crate::layout::MODULE_HISTORY;
use crate::message::{MessageSelector, read};
use crate::read_error::ReadError;
use crate::registry::version::version;
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

impl RegistryView {
    pub(super) async fn follow(&self) -> Result<(), ReadError> {
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
