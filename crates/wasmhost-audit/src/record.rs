//! Records a run while it happens. Two connections each receive every republished revision and every log line, and are
//! merged. What one of them misses the other one may have. What both miss is read from the bucket later, unless it was
//! overwritten by then; the capture says what is missing.

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

use crate::capture::{Capture, Entry, Quiet, Remaining, Span};
use crate::remaining::{self, ListError};
use seen::Seen;

/// How soon a lost connection is made again. It is sooner than for hosts, whose writes would else be missed.
const RECONNECT_DELAY: Duration = Duration::from_millis(5);
/// Messages of a subscription that may wait to be noted. Further ones are missed, and show as a gap.
const WAITING: usize = 1 << 16;
/// How long messages in flight at the end may take.
const DRAIN: Duration = Duration::from_secs(5);

/// Why a recorder could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// There is no connection to the server.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The states bucket cannot be read.
    #[error("start the recording: {0}")]
    List(#[from] ListError),
}

/// A running recorder.
#[derive(Debug)]
pub struct Recorder {
    seen: Arc<Seen>,
    connections: [Connection; 2],
    first: u64,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Recorder {
    /// Connects twice, and records everything that happens after this returns.
    pub async fn open(config: &ConnectConfig) -> Result<Self, RecordError> {
        let mut config = config.clone();
        config.reconnect_delay = Some(RECONNECT_DELAY);
        Self::start([Connection::open(&config).await?, Connection::open(&config).await?]).await
    }

    /// Records over connections of the caller's everything that happens after this returns. They should be two different
    /// ones, and reconnect faster than hosts do, as those of [`Self::open`].
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
            // Once the server has the subscriptions, every later revision is received: the last one is asked for then.
            // If that fails, the connection broke: what is missed until it is made again is read later, or shows as a
            // gap.
            drop(connection.edge().await?.flush().await);
            // The recording begins with what both connections receive.
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

    /// Adds what the caller saw or did, such as answers to submits and faults.
    pub fn note(&self, entry: Entry) {
        self.seen.note(entry);
    }

    /// Waits until the job stream is empty and nothing has happened for `still`, and notes that the system was idle.
    pub async fn idle(&self, still: Duration) {
        let mut changes = self.seen.changes();
        loop {
            changes.mark_unchanged();
            if timeout(still, changes.changed()).await.is_ok() {
                continue;
            }
            match remaining::queued(&self.connections[0]).await {
                // Something may have happened while the server was asked.
                Ok(0) if !changes.has_changed().unwrap_or(false) => break,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "it is not known whether the system is idle"),
            }
        }
        self.note(Entry::Quiet(Quiet { at: now() }));
    }

    /// Ends the recording and returns it, with what was in flight and which messages remain. Where the server does not answer,
    /// the span is missing, so that the capture proves nothing.
    pub async fn finish(mut self) -> Capture {
        // Remaining messages are listed first: a job whose message is gone by then has an end within the span.
        let listed = self.list().await;
        self.stop.send_replace(true);
        let drained = timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!("what was in flight did not come in time");
            self.tasks.shutdown().await;
        }
        // Only now is it known which revisions of the span neither connection received.
        match self.recover(listed).await {
            Ok(last_entries) => self.seen.take(last_entries),
            Err(error) => {
                tracing::warn!(%error, "the end of the recording cannot be read, so that it proves nothing");
                self.seen.take(Vec::new())
            }
        }
    }

    /// The messages that remain, and the span of the recording.
    async fn list(&self) -> Result<(Vec<Remaining>, Span), ListError> {
        let messages = remaining::remaining(&self.connections[0]).await?;
        let last = remaining::last_revision(&self.connections[0]).await?;
        Ok((messages, Span { first: self.first, last }))
    }

    /// Reads what was missed of the span, and returns the last entries of the capture.
    async fn recover(
        &self,
        listed: Result<(Vec<Remaining>, Span), ListError>,
    ) -> Result<Vec<Entry>, ListError> {
        let (messages, span) = listed?;
        recover::recover(&self.connections[0], &self.seen, span).await?;
        Ok(messages.into_iter().map(Entry::Remaining).chain([Entry::Span(span)]).collect())
    }
}
