//! The log lines that wait for the host, bounded by their number and by their bytes.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::log::GuestLine;

/// The most lines that wait; more are dropped and counted.
pub(super) const WAITING_LINES: usize = 256;
/// The most bytes of all lines that wait together.
pub(super) const WAITING_BYTES: usize = 256 << 10;

/// The queue of log lines from one guest to its host.
#[derive(Debug)]
pub(super) struct LogQueue {
    sender: Mutex<Option<mpsc::Sender<GuestLine>>>,
    receiver: Mutex<Option<mpsc::Receiver<GuestLine>>>,
    waiting_bytes: Arc<AtomicUsize>,
    dropped: AtomicU64,
}

impl LogQueue {
    pub(super) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_LINES);
        Self {
            sender: Mutex::new(Some(sender)),
            receiver: Mutex::new(Some(receiver)),
            waiting_bytes: Arc::default(),
            dropped: AtomicU64::new(0),
        }
    }

    /// The receiving end for the first caller; others get one without lines.
    pub(super) fn lines(&self) -> LogLines {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Its sender is dropped at once, so that such a reader sees the end.
        let receiver = receiver.unwrap_or_else(|| mpsc::channel(1).1);
        LogLines { receiver, waiting_bytes: self.waiting_bytes.clone() }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn push(&self, line: GuestLine) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_ref() else { return };
        let bytes = line.bytes();
        // The lock makes the lines of this guest come one at a time, and the reader only ever subtracts.
        let fits = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= WAITING_BYTES;
        if !fits || sender.try_send(line).is_err() {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn end(&self) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The log lines of one attempt, in their order.
#[derive(Debug)]
pub struct LogLines {
    receiver: mpsc::Receiver<GuestLine>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl LogLines {
    /// Waits for the next line; none when no more come. Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<GuestLine> {
        let line = self.receiver.recv().await;
        self.take_off(line)
    }

    /// Returns a line that waits already.
    pub fn try_recv(&mut self) -> Option<GuestLine> {
        let line = self.receiver.try_recv().ok();
        self.take_off(line)
    }

    /// Gives the room of a line to those that come.
    fn take_off(&self, line: Option<GuestLine>) -> Option<GuestLine> {
        let bytes = line.as_ref().map_or(0, GuestLine::bytes);
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        line
    }
}
