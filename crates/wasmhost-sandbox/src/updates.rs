//! What a running guest hands to its host: the newest state update, the newest checkpoint, log lines. Both runtimes
//! touch it, and neither waits for the other in the common case. How often a post is written is the taker's business.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use wasmhost_protocol::ids::StateName;
use wasmhost_protocol::json::Json;

/// Log lines that wait for the host; more are dropped and counted.
const WAITING_LINES: usize = 256;
/// Bytes of the lines that wait, all together.
const WAITING_BYTES: usize = 256 << 10;

/// A custom state that the guest wants to be seen in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateUpdate {
    /// The state's name.
    pub state: StateName,
    /// What the guest says of it.
    pub meta: Option<Json>,
}

/// Everything that waits in a updates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PendingUpdates {
    /// The newest update.
    pub update: Option<StateUpdate>,
    /// The newest checkpoint.
    pub checkpoint: Option<Bytes>,
}

impl PendingUpdates {
    fn is_empty(&self) -> bool {
        self.update.is_none() && self.checkpoint.is_none()
    }
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// For the author.
    Debug,
    /// Normal.
    Info,
    /// Something is odd.
    Warn,
    /// Something is wrong.
    Error,
}

/// Where a log line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// The `log` interface.
    Guest,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line, with control characters escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// Where it came from.
    pub stream: LogStream,
    /// The text.
    pub message: String,
    /// What the guest said beside it: a JSON object, or its text where it was none.
    pub fields: Option<Json>,
}

impl LogLine {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.message.len()
            + self.fields.as_ref().map_or(0, |fields| fields.as_str().len())
    }
}

/// The log lines of one attempt, as they come.
#[derive(Debug)]
pub struct LogLines {
    lines: mpsc::Receiver<LogLine>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl LogLines {
    /// The next line; none when no more will come. Dropping it loses nothing.
    pub async fn recv(&mut self) -> Option<LogLine> {
        let line = self.lines.recv().await;
        self.taken(line)
    }

    /// A line that waits already.
    pub fn try_recv(&mut self) -> Option<LogLine> {
        let line = self.lines.try_recv().ok();
        self.taken(line)
    }

    fn taken(&self, line: Option<LogLine>) -> Option<LogLine> {
        let bytes = line.as_ref().map_or(0, LogLine::bytes);
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        line
    }
}

/// What a running guest hands to its host.
#[derive(Debug)]
pub struct GuestUpdates {
    waiting: Mutex<PendingUpdates>,
    posted: Notify,
    taken: Notify,
    lines: Mutex<Option<mpsc::Sender<LogLine>>>,
    reader: Mutex<Option<mpsc::Receiver<LogLine>>>,
    waiting_bytes: Arc<AtomicUsize>,
    dropped_lines: AtomicU64,
}

impl GuestUpdates {
    pub(crate) fn new() -> Self {
        let (lines, reader) = mpsc::channel(WAITING_LINES);
        Self {
            waiting: Mutex::default(),
            posted: Notify::new(),
            taken: Notify::new(),
            lines: Mutex::new(Some(lines)),
            reader: Mutex::new(Some(reader)),
            waiting_bytes: Arc::default(),
            dropped_lines: AtomicU64::new(0),
        }
    }

    /// Returns as soon as something waits; at once when something already does. Dropping it loses nothing.
    pub async fn changed(&self) {
        loop {
            let posted = self.posted.notified();
            if !self.lock().is_empty() {
                return;
            }
            posted.await;
        }
    }

    /// Takes everything that waits. Still answers after the attempt has ended: the last update may be in it.
    pub fn take(&self) -> Option<PendingUpdates> {
        let post = std::mem::take(&mut *self.lock());
        self.taken.notify_waiters();
        (!post.is_empty()).then_some(post)
    }

    /// The log lines of this attempt; they end with it. Only the first call gets them.
    pub fn logs(&self) -> LogLines {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lines = reader.unwrap_or_else(|| mpsc::channel(1).1);
        LogLines { lines, waiting_bytes: self.waiting_bytes.clone() }
    }

    /// How many lines were dropped because nobody read them in time.
    pub fn dropped_lines(&self) -> u64 {
        self.dropped_lines.load(Ordering::Relaxed)
    }

    /// Posts an update. One with the same name is replaced; while one with another name waits, this waits too.
    pub(crate) async fn post_state(&self, update: StateUpdate) {
        let mut update = Some(update);
        while !self.try_post(&mut update) {
            let mut taken = pin!(self.taken.notified());
            taken.as_mut().enable();
            if self.try_post(&mut update) {
                return;
            }
            taken.await;
        }
    }

    fn try_post(&self, update: &mut Option<StateUpdate>) -> bool {
        let mut waiting = self.lock();
        let blocked =
            waiting.update.as_ref().zip(update.as_ref()).is_some_and(|(old, new)| old.state != new.state);
        if !blocked {
            let wake = waiting.is_empty();
            waiting.update = update.take();
            drop(waiting);
            self.wake_if(wake);
        }
        !blocked
    }

    /// Posts a checkpoint in place of one that still waits.
    pub(crate) fn post_checkpoint(&self, bytes: Bytes) {
        let mut waiting = self.lock();
        let wake = waiting.is_empty();
        waiting.checkpoint = Some(bytes);
        drop(waiting);
        self.wake_if(wake);
    }

    pub(crate) fn log(&self, line: LogLine) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lines) = lines.as_ref() else { return };
        let bytes = line.bytes();
        // The lock makes this guest's lines come one at a time; the reader only ever takes bytes off.
        let fits = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= WAITING_BYTES;
        if !fits || lines.try_send(line).is_err() {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.dropped_lines.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// No line comes after this: whoever reads them is told.
    pub(crate) fn end_logs(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The reader looks for posts before it sleeps, so only the first post has to wake it.
    fn wake_if(&self, was_empty: bool) {
        if was_empty {
            self.posted.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, PendingUpdates> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn update(state: &str, meta: &str) -> StateUpdate {
        StateUpdate { state: StateName::parse(state).unwrap(), meta: Some(Json::parse(meta).unwrap()) }
    }

    #[tokio::test]
    async fn the_newest_update_of_a_name_wins() {
        let updates = GuestUpdates::new();
        updates.post_state(update("A", "1")).await;
        updates.post_state(update("A", "2")).await;
        updates.changed().await;
        assert_eq!(updates.take().unwrap().update, Some(update("A", "2")));
        assert_eq!(updates.take(), None);
    }

    #[tokio::test]
    async fn a_change_of_name_is_never_skipped() {
        let updates = GuestUpdates::new();
        updates.post_state(update("A", "1")).await;
        let mut second = Box::pin(updates.post_state(update("B", "2")));
        assert!(second.as_mut().now_or_never().is_none());
        assert_eq!(updates.take().unwrap().update, Some(update("A", "1")));
        second.await;
        assert_eq!(updates.take().unwrap().update, Some(update("B", "2")));
    }

    #[tokio::test]
    async fn a_dropped_wait_loses_nothing() {
        let updates = GuestUpdates::new();
        assert!(updates.changed().now_or_never().is_none());
        updates.post_checkpoint(Bytes::from_static(b"c"));
        assert!(updates.changed().now_or_never().is_some());
        assert!(updates.changed().now_or_never().is_some());
        assert_eq!(updates.take().unwrap().checkpoint.unwrap(), "c");
    }

    #[tokio::test]
    async fn lines_that_nobody_reads_are_counted() {
        let updates = GuestUpdates::new();
        let line =
            LogLine { level: LogLevel::Info, stream: LogStream::Guest, message: "x".into(), fields: None };
        for _ in 0..WAITING_LINES + 3 {
            updates.log(line.clone());
        }
        assert_eq!(updates.dropped_lines(), 3);
        updates.end_logs();
        let mut logs = updates.logs();
        for _ in 0..WAITING_LINES {
            assert_eq!(logs.recv().await, Some(line.clone()));
        }
        assert_eq!(logs.recv().await, None);
        assert_eq!(updates.logs().recv().await, None);
    }

    #[tokio::test]
    async fn lines_that_wait_take_no_more_than_their_room_whatever_their_length() {
        let updates = GuestUpdates::new();
        let line = LogLine {
            level: LogLevel::Info,
            stream: LogStream::Stdout,
            message: "\\u{1b}".repeat(8 << 10),
            fields: None,
        };
        let fit = WAITING_BYTES / line.bytes();
        assert!(fit < 10, "{fit}");
        let mut logs = updates.logs();
        for round in 1..=3 {
            for _ in 0..WAITING_LINES {
                updates.log(line.clone());
            }
            assert_eq!(updates.dropped_lines(), round * (WAITING_LINES - fit) as u64);
            assert_eq!(std::iter::from_fn(|| logs.try_recv()).count(), fit);
        }
    }
}
