//! The live recorder: two connections that each see every republished revision and every log line, merged. What one of
//! them misses the other may have; what both miss is read later if it still stands; what is then missing stays missing,
//! and the capture says so.

mod listen;
mod message;
mod recover;
mod seen;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use wasmhost_nats::{ConnectConfig, ConnectError, Connection, now};

use crate::capture::{Capture, Entry, Left, Quiet, Span};
use crate::remaining::{self, LookError};
use seen::Seen;

/// How soon a lost connection is made again: before the hosts', which would write unseen.
const RECONNECT_DELAY: Duration = Duration::from_millis(5);
/// Messages of a subscription that wait to be noted; of more, the newest are missed, which shows as a gap.
const WAITING: usize = 1 << 16;
/// How long what is in flight at the end may take.
const DRAIN: Duration = Duration::from_secs(5);

/// Why nothing is recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The states bucket cannot be looked at.
    #[error("record what is seen: {0}")]
    Look(#[from] LookError),
}

/// A recorder that runs.
#[derive(Debug)]
pub struct Recorder {
    seen: Arc<Seen>,
    connections: [Connection; 2],
    first: u64,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Recorder {
    /// Connects twice, and records from when this returns.
    pub async fn open(config: &ConnectConfig) -> Result<Self, RecordError> {
        let mut config = config.clone();
        config.reconnect_delay = Some(RECONNECT_DELAY);
        Self::start([Connection::open(&config).await?, Connection::open(&config).await?]).await
    }

    /// Records from when this returns. The two connections should be two, and should be made again faster than those of
    /// hosts; [`Self::open`] sees to both.
    pub async fn start(connections: [Connection; 2]) -> Result<Self, RecordError> {
        let seen = Arc::new(Seen::new());
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        let mut last = 0;
        for connection in &connections {
            for (filter, read) in message::subjects(&connection.names) {
                let wire = connection.edge().await?;
                let subscription = wire.subscribe(filter, None, WAITING).await;
                let listener = listen::Listener { subscription, read, names: connection.names.clone() };
                tasks.spawn(listen::listen(listener, Arc::clone(&seen), stop.subscribe()));
            }
            // What is asked when the server has the subscriptions is what was there before them.
            drop(connection.edge().await?.flush().await);
            last = last.max(remaining::last_revision(connection).await?);
        }
        let first = last + 1;
        for connection in &connections {
            tasks.spawn(recover::at_each_reconnect(
                connection.clone(),
                Arc::clone(&seen),
                first,
                stop.subscribe(),
            ));
        }
        Ok(Self { seen, connections, first, stop, tasks })
    }

    /// Adds what somebody else saw or did: answers to submits, faults.
    pub fn note(&self, entry: Entry) {
        self.seen.note(entry);
    }

    /// Waits until nothing has been seen for `still` and the job stream is empty, and notes that.
    pub async fn idle(&self, still: Duration) {
        let mut changes = self.seen.changes();
        loop {
            changes.mark_unchanged();
            if timeout(still, changes.changed()).await.is_ok() {
                continue;
            }
            match remaining::queued(&self.connections[0]).await {
                Ok(0) if !changes.has_changed().unwrap_or(false) => break,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "cannot tell whether the system is idle"),
            }
        }
        self.note(Entry::Quiet(Quiet { at: now() }));
    }

    /// What was seen, with what is in flight and what is left. Without the recorder's own word on what it saw, and so not
    /// proven, where the server does not answer.
    pub async fn finish(mut self) -> Capture {
        // What is left comes first: the end of a job whose message is gone by then is within the span.
        let word = self.look().await;
        self.stop.send_replace(true);
        let drained = timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!("what was in flight did not come in time");
            self.tasks.shutdown().await;
        }
        match self.recover(word).await {
            Ok(word) => self.seen.take(word),
            Err(error) => {
                tracing::warn!(%error, "cannot look at the end of the recording; it will prove nothing");
                self.seen.take(Vec::new())
            }
        }
    }

    async fn look(&self) -> Result<(Vec<Left>, Span), LookError> {
        let left = remaining::left(&self.connections[0]).await?;
        let last = remaining::last_revision(&self.connections[0]).await?;
        Ok((left, Span { first: self.first, last }))
    }

    /// Reads what was missed; then what is left and the span can be told.
    async fn recover(&self, word: Result<(Vec<Left>, Span), LookError>) -> Result<Vec<Entry>, LookError> {
        let (left, span) = word?;
        recover::recover(&self.connections[0], &self.seen, span).await?;
        Ok(left.into_iter().map(Entry::Left).chain([Entry::Span(span)]).collect())
    }
}
