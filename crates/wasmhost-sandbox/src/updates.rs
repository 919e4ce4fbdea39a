//! What a running guest hands to its host: the newest update of its state, the newest checkpoint, and log lines. The
//! guest and the host run on different runtimes, and neither waits for the other as long as the host takes what is
//! posted. How often it is written is the host's decision.

mod log;
mod log_queue;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use wasmhost_protocol::ids::StateName;
use wasmhost_protocol::json::Json;

pub use log::GuestLine;
pub use log_queue::LogLines;
use log_queue::LogQueue;

/// A custom state that the guest gives its job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateUpdate {
    /// The name of the state.
    pub state: StateName,
    /// The meta of the state; none where the guest gave an empty text.
    pub meta: Option<Json>,
}

/// What a guest has posted since the host last took it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PendingUpdates {
    /// The newest update of its state.
    pub update: Option<StateUpdate>,
    /// The newest checkpoint.
    pub checkpoint: Option<Bytes>,
}

impl PendingUpdates {
    fn is_empty(&self) -> bool {
        self.update.is_none() && self.checkpoint.is_none()
    }
}

/// What a running guest hands to its host.
#[derive(Debug)]
pub struct GuestUpdates {
    pending: Mutex<PendingUpdates>,
    posted: Notify,
    taken: Notify,
    logs: LogQueue,
}

impl GuestUpdates {
    pub(crate) fn new() -> Self {
        Self {
            pending: Mutex::default(),
            posted: Notify::new(),
            taken: Notify::new(),
            logs: LogQueue::default(),
        }
    }

    /// Returns when something is pending, which may be at once. Dropping the future loses nothing.
    pub async fn changed(&self) {
        loop {
            // A post that comes between the check and the wait leaves its notification behind, which ends the wait.
            let posted = self.posted.notified();
            if !self.lock().is_empty() {
                return;
            }
            posted.await;
        }
    }

    /// Takes everything that is pending; none where nothing is. It also works after the attempt has ended, whose last
    /// update may still be pending.
    pub fn take(&self) -> Option<PendingUpdates> {
        let pending = std::mem::take(&mut *self.lock());
        self.taken.notify_waiters();
        (!pending.is_empty()).then_some(pending)
    }

    /// The log lines of the attempt, which end with it. Each line is taken once, so that there is one reader.
    pub fn logs(&self) -> LogLines {
        self.logs.lines()
    }

    /// How many log lines were dropped because nobody took them in time.
    pub fn dropped_lines(&self) -> u64 {
        self.logs.dropped()
    }

    /// Posts an update of the state. It replaces a pending one of the same state, and waits while one of another state
    /// is pending, so that no state is skipped.
    pub(crate) async fn post_state(&self, update: StateUpdate) {
        let mut update = Some(update);
        while !self.try_post(&mut update) {
            let mut taken = pin!(self.taken.notified());
            // From here on no taking is missed, so that the post is tried once more before the wait.
            taken.as_mut().enable();
            if self.try_post(&mut update) {
                return;
            }
            taken.await;
        }
    }

    fn try_post(&self, update: &mut Option<StateUpdate>) -> bool {
        let mut pending = self.lock();
        let states = pending.update.as_ref().zip(update.as_ref());
        if states.is_some_and(|(pending, new)| pending.state != new.state) {
            return false;
        }
        let was_empty = pending.is_empty();
        pending.update = update.take();
        drop(pending);
        self.wake_host_if(was_empty);
        true
    }

    /// Posts a checkpoint, in place of a pending one.
    pub(crate) fn post_checkpoint(&self, checkpoint: Bytes) {
        let mut pending = self.lock();
        let was_empty = pending.is_empty();
        pending.checkpoint = Some(checkpoint);
        drop(pending);
        self.wake_host_if(was_empty);
    }

    /// Hands over a log line, or drops and counts it where too many wait.
    pub(crate) fn log(&self, line: GuestLine) {
        self.logs.push(line);
    }

    /// Ends the log lines: whoever reads them learns that no more come.
    pub(crate) fn end_logs(&self) {
        self.logs.end();
    }

    /// The host looks for pending updates before it waits, so that only the first post has to wake it.
    fn wake_host_if(&self, was_empty: bool) {
        if was_empty {
            self.posted.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, PendingUpdates> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
