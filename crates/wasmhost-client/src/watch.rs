//! The states of one job as they come: events wake, a terminal state is read from the leader before it is told.

use std::time::Duration;

use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use tokio::time::{Instant, sleep_until};
use wasmhost_nats::{Event, Heard, SET_UP_WITHIN, subscribe};
use wasmhost_protocol::record::{Record, StoredEntry};

use crate::job::{Handle, StatusError};

/// How often a waiting client reads again, since events may be lost (R5).
const READ_AGAIN: Duration = Duration::from_secs(15);
/// So long a bucket that has been there may be away.
const AWAY_FOR: Duration = Duration::from_secs(60);

/// The records of one job, revisions increasing, ending after the terminal one. Slow readers may miss some in between,
/// never the last.
pub struct States {
    job: Handle,
    events: BoxStream<'static, Heard>,
    /// The revision told last.
    revision: u64,
    /// What is told next, before any event.
    first: Option<Record>,
    ended: bool,
    /// Why it ended, where that was not the end of the job.
    failed: Option<StatusError>,
    read_at: Instant,
}

/// What to do next.
enum Wake {
    /// An event.
    Event(Event),
    /// Events may have been lost.
    Read,
}

impl Handle {
    /// Watches the job: its record now, then each further one.
    pub async fn watch(&self) -> Result<States, StatusError> {
        let connection = self.client.connection();
        // Subscribed before the read: nothing falls between the two.
        let events = subscribe(connection, &self.key).await;
        let events = events.map_err(|source| StatusError::Subscribe { key: self.key.clone(), source })?;
        let (record, revision) = self.read().await?;
        let (ended, read_at) = (record.is_terminal(), Instant::now());
        let (job, events) = (self.clone(), events.boxed());
        Ok(States { job, events, revision, first: Some(record), ended, failed: None, read_at })
    }
}

impl States {
    /// The next record; none after the terminal one, when the record was deleted, or when it may no longer be read: see
    /// [`Self::failure`].
    pub async fn next(&mut self) -> Option<Record> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        while !self.ended {
            let record = match self.wake().await {
                Wake::Event(event) => self.take(event).await,
                Wake::Read => self.read().await,
            };
            if record.is_some() {
                return record;
            }
        }
        None
    }

    /// Why there are no more records although the job has not ended; taken by the call.
    pub fn failure(&mut self) -> Option<StatusError> {
        self.failed.take()
    }

    /// The revision of the record that was told last.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Record> + Send + Unpin {
        unfold(self, async |mut states| states.next().await.map(|record| (record, states))).boxed()
    }

    /// Waits. An event that is dropped with its arm has not been taken from the subscription.
    async fn wake(&mut self) -> Wake {
        tokio::select! {
            Some(heard) = self.events.next() => match heard {
                Heard::Event(event) => Wake::Event(event),
                Heard::Missed => Wake::Read,
            },
            () = sleep_until(self.read_at + READ_AGAIN) => Wake::Read,
        }
    }

    async fn take(&mut self, event: Event) -> Option<Record> {
        if event.revision <= self.revision {
            return None;
        }
        match event.stored {
            StoredEntry::Record { record, .. } if record.is_terminal() => {
                match self.read_entry().await? {
                    // Its time to live was shorter than our way to the leader.
                    StoredEntry::Absent | StoredEntry::Deleted(_) => self.tell(*record, event.revision),
                    stored => self.tell_entry(stored),
                }
            }
            StoredEntry::Record { record, .. } => self.tell(*record, event.revision),
            StoredEntry::Absent
            | StoredEntry::Deleted(_)
            | StoredEntry::Unreadable { .. }
            | StoredEntry::Newer { .. } => self.read().await,
        }
    }

    /// Reads from the leader.
    async fn read(&mut self) -> Option<Record> {
        let stored = self.read_entry().await?;
        self.read_at = Instant::now();
        self.tell_entry(stored)
    }

    /// What stands, as soon as the leader answers; none where it refuses to, and the watch ends with that.
    async fn read_entry(&mut self) -> Option<StoredEntry> {
        // One that has been there is away while the server has no leader for it, or the way to it is interrupted.
        let missing_for = if self.revision > 0 { AWAY_FOR } else { SET_UP_WITHIN };
        match self.job.client.records().read_or_refused(&self.job.key, missing_for).await {
            Ok(stored) => Some(stored),
            Err(source) => {
                self.ended = true;
                self.failed = Some(StatusError::Unreachable { key: self.job.key.clone(), source });
                None
            }
        }
    }

    fn tell_entry(&mut self, stored: StoredEntry) -> Option<Record> {
        match self.job.readable(stored) {
            // The leader's word counts, whatever revision a forged event claimed.
            Ok((record, revision)) if record.is_terminal() => {
                self.revision = self.revision.min(revision.saturating_sub(1));
                self.tell(record, revision)
            }
            Ok((record, revision)) => self.tell(record, revision),
            Err(error) => {
                tracing::debug!(%error, "a watched job has no record any more");
                self.ended = true;
                None
            }
        }
    }

    fn tell(&mut self, record: Record, revision: u64) -> Option<Record> {
        if revision <= self.revision {
            return None;
        }
        self.revision = revision;
        self.ended = record.is_terminal();
        Some(record)
    }
}
