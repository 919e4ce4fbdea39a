//! The log lines that wait for the host, bounded by their number and by their bytes. Most attempts have none, and cost no memory here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::log::GuestLine;

/// The most lines that wait; more are dropped and counted.
pub(super) const WAITING_LINES: usize = 256;
/// The most bytes of all lines that wait together.
pub(super) const WAITING_BYTES: usize = 256 << 10;

/// The queue of log lines from one guest to its host.
#[derive(Debug, Default)]
pub(super) struct LogQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<GuestLine>,
    bytes: usize,
    dropped: u64,
    ended: bool,
}

impl LogQueue {
    /// The receiving end.
    pub(super) fn lines(&self) -> LogLines {
        LogLines(self.0.clone())
    }

    pub(super) fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }

    pub(super) fn push(&self, line: GuestLine) {
        let mut waiting = self.0.lock();
        if waiting.ended {
            return;
        }
        let bytes = waiting.bytes + line.bytes();
        if waiting.lines.len() == WAITING_LINES || bytes > WAITING_BYTES {
            waiting.dropped += 1;
            return;
        }
        waiting.bytes = bytes;
        waiting.lines.push_back(line);
        drop(waiting);
        self.0.changed.notify_one();
    }

    pub(super) fn end(&self) {
        self.0.lock().ended = true;
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn take(&self) -> Option<GuestLine> {
        let mut waiting = self.lock();
        let line = waiting.lines.pop_front()?;
        waiting.bytes -= line.bytes();
        Some(line)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log lines of one attempt, in their order.
#[derive(Debug)]
pub struct LogLines(Arc<Shared>);

impl LogLines {
    /// Waits for the next line; none when no more come. Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<GuestLine> {
        loop {
            // A line that comes between the look and the wait leaves its notification behind, which ends the wait.
            let changed = self.0.changed.notified();
            // Looked at first, since what came before the end comes before the end is told.
            let ended = self.0.lock().ended;
            if let Some(line) = self.0.take() {
                return Some(line);
            }
            if ended {
                return None;
            }
            changed.await;
        }
    }

    /// Returns a line that waits already.
    pub fn try_recv(&mut self) -> Option<GuestLine> {
        self.0.take()
    }
}
