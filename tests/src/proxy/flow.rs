//! How frames flow through a proxy in each direction: at once, late, or not at all.

use std::{
    future::pending,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use futures::FutureExt;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::wire::{Frame, read_frame};

/// Frames of one connection and direction that are read ahead while they are held back. Then the sender has to wait, as on a
/// network.
const READ_AHEAD: usize = 1024;

/// A direction through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// How frames flow in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flow {
    /// At once.
    #[default]
    Open,
    /// Each later by this time, in order.
    Late(Duration),
    /// Not at all. What comes is kept, as TCP keeps it, and goes on when the flow is open again.
    Stalled,
}

/// How frames flow on all connections of one proxy.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flows {
    pub(super) to_server: Flow,
    pub(super) to_client: Flow,
    /// Whether nothing flows, whatever the two directions say.
    pub(super) closed: bool,
    /// How often the connections were cut: one that is older than the newest cut ends.
    pub(super) cuts: u64,
}

impl Flows {
    fn of(&self, direction: Direction) -> Flow {
        match direction {
            Direction::ToServer | Direction::ToClient if self.closed => Flow::Stalled,
            Direction::ToServer => self.to_server,
            Direction::ToClient => self.to_client,
        }
    }
}

/// What happened at a proxy, as the proof of a fault.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) connections: AtomicUsize,
    pub(super) accepted: AtomicUsize,
    pub(super) held: AtomicU64,
}

/// One direction of one connection.
pub(super) struct Lane<'a> {
    pub(super) direction: Direction,
    pub(super) flows: watch::Receiver<Flows>,
    pub(super) tally: &'a Tally,
}

impl Lane<'_> {
    /// Copies the frames that pass, until either side ends.
    pub(super) async fn copy(
        mut self,
        from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        passes: impl Fn(&Frame) -> bool,
    ) {
        let (read, mut frames) = mpsc::channel(READ_AHEAD);
        let reading = async move {
            let mut from = BufReader::new(from);
            while let Ok(Some(frame)) = read_frame(&mut from).await {
                if read.send((Instant::now(), frame)).await.is_err() {
                    return;
                }
            }
        };
        let writing = async {
            while let Some((read_at, frame)) = frames.recv().await {
                self.wait(read_at).await;
                if passes(&frame) && to.write_all(&frame.bytes).await.is_err() {
                    break;
                }
            }
            // The other side may have closed the connection already.
            let _ = to.shutdown().await;
        };
        // What was read is still written at the end of reading. When nothing can be written, nothing need be read.
        tokio::select! {
            () = writing => {}
            () = reading.then(|()| pending()) => {}
        }
    }

    /// Waits until a frame may go that was read at this time.
    async fn wait(&mut self, read_at: Instant) {
        loop {
            let flow = self.flows.borrow_and_update().of(self.direction);
            match flow {
                Flow::Open => return,
                Flow::Late(delay) => return sleep_until(read_at + delay).await,
                Flow::Stalled => {
                    self.tally.held.fetch_add(1, Ordering::Relaxed);
                    // An error is the end of the proxy, which ends the connection as well.
                    let _ = self.flows.wait_for(|flows| flows.of(self.direction) != Flow::Stalled).await;
                }
            }
        }
    }
}
