//! How the view follows the registry: it reads what is new by sequence, from the leader, when it is notified of a
//! change and every few seconds. The server holds no consumer for it.

use std::sync::PoisonError;
use std::time::Duration;

use nats_wire::{Subscription, Wire};
use tokio::time::sleep;

use super::{Modules, RegistryView};
use crate::direct::page;
use crate::layout::MODULE_HISTORY;
use crate::message::{MessageSelector, read};
use crate::read_error::ReadError;
use crate::registry::version::{RunnableVersion, version};
use crate::stored::StoredMessage;
use crate::streams::{StreamState, stream_state};

/// How often it reads without a notification: 300 hosts make 60 small requests a second.
const READ_EVERY: Duration = Duration::from_secs(10);
/// The pauses before the reads that follow a notification: the change is published before it is stored, and the server
/// sends it to subscribers without waiting for that.
const PAUSES_AFTER_NOTIFICATION: [Duration; 5] = [
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(200),
    Duration::from_secs(1),
];
/// How many notifications may wait. Further ones would say the same.
const NOTIFICATIONS: usize = 16;

impl RegistryView {
    /// Reads the registry, and what changes in it, until the bucket is recreated or cannot be read.
    pub(super) async fn follow(&self) -> Result<(), ReadError> {
        let stream = self.connection.names.modules_stream();
        let wire = self
            .connection
            .edge()
            .await
            .map_err(|error| ReadError::Unreachable { subject: stream.clone(), text: error.to_string() })?;
        // Subscribed before the first read, so that no change falls between the two.
        let mut changes = wire.subscribe(self.connection.names.modules_filter(), None, NOTIFICATIONS).await;
        let began = self.load(&stream).await?;
        let mut known = began.last.max(self.catch_up(&stream, began.last).await?);
        self.loaded.send_replace(true);
        let mut pauses = PAUSES_AFTER_NOTIFICATION.iter();
        loop {
            let pause = pauses.next();
            if notified(wire, &mut changes, *pause.unwrap_or(&READ_EVERY)).await {
                pauses = PAUSES_AFTER_NOTIFICATION.iter();
            }
            known = self.catch_up(&stream, known).await?;
            if pause.is_none() {
                // A bucket that was recreated has other revisions: nothing would ever be newer than what is known.
                let state = stream_state(&self.connection, &stream).await?;
                if state.created != began.created || state.last < known {
                    return Ok(());
                }
            }
        }
    }

    /// Reads everything in place of what was known before, and returns how far it has read.
    async fn load(&self, stream: &str) -> Result<StreamState, ReadError> {
        let state = stream_state(&self.connection, stream).await?;
        if self.created.send_replace(Some(state.created)).is_some_and(|before| before != state.created) {
            tracing::error!(stream, "the bucket of modules was recreated: push what it held before again");
        }
        let mut modules = Modules::new();
        let filter = self.connection.names.modules_filter();
        let mut next = Some(1);
        let mut read_up_to = 0;
        while let Some(from) = next {
            let page = page(&self.connection, stream, &filter, from).await?;
            for message in &page.messages {
                self.apply(&mut modules, message);
                read_up_to = message.sequence;
            }
            next = page.next;
        }
        *self.modules.write().unwrap_or_else(PoisonError::into_inner) = modules;
        self.changes.send_replace(read_up_to);
        // Not the leader's newest: the replica that answered may lag, and what it lacked is read from the leader next.
        Ok(StreamState { last: read_up_to, ..state })
    }

    /// Reads what came after the revision `known`, and returns the newest revision then.
    async fn catch_up(&self, stream: &str, known: u64) -> Result<u64, ReadError> {
        let filter = self.connection.names.modules_filter();
        let mut known = known;
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
        versions.push_back(version(message).entry.as_ref().map(RunnableVersion::from));
        // The bucket drops its oldest versions by itself; this copy has to do the same.
        if versions.len() > MODULE_HISTORY as usize {
            versions.pop_front();
        }
    }
}

/// Waits until there may be something new, no longer than `limit`, and says whether there was a notification.
async fn notified(wire: &Wire, changes: &mut Subscription, limit: Duration) -> bool {
    let mut connection = wire.changes();
    connection.mark_unchanged();
    // Dropping the other arms loses nothing: each only wakes. A new connection counts, since changes were missed
    // without one.
    let heard = tokio::select! {
        change = changes.next() => change.is_some(),
        changed = connection.changed() => changed.is_ok(),
        () = sleep(limit) => false,
    };
    while changes.waiting() > 0 && changes.next().await.is_some() {}
    heard
}
