//! The states of one job as they come. Events tell of new records; one that is terminal is read from the bucket's leader
//! before it is passed on.

use std::time::Duration;

use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use tokio::time::{Instant, sleep_until};
use wasmhost_nats::{Event, Heard, SET_UP_WITHIN, subscribe};
use wasmhost_protocol::record::{Record, StoredEntry};

use crate::job::{AWAY_FOR, JobHandle, StatusError};

/// How often a waiting client reads again, since the server may drop events
/// ([R5](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r5)).
const READ_AGAIN: Duration = Duration::from_secs(15);

/// The records of one job with increasing revisions, up to the terminal one. A slow reader may miss some in between, but
/// never the last.
pub struct States {
    job: JobHandle,
    events: BoxStream<'static, Heard>,
    /// The revision of the record that was returned last.
    revision: u64,
    /// The record that is returned next, before any event.
    first: Option<Record>,
    ended: bool,
    /// Why there are no more records, where the job's end is not the reason.
    failed: Option<StatusError>,
    read_at: Instant,
}

/// What a watch does next.
enum Wake {
    /// It looks at an event.
    Event(Event),
    /// It reads the record, since events may have been lost.
    Read,
}

impl JobHandle {
    /// Watches the job: the states begin with its record as it is now.
    ///
    /// # Errors
    ///
    /// The record cannot be read, or its events cannot be subscribed to.
    pub async fn watch(&self) -> Result<States, StatusError> {
        // Subscribed before the read, so that no record falls between the two.
        let events = subscribe(self.client.connection(), &self.key).await;
        let events = events.map_err(|source| StatusError::Subscribe { key: self.key.clone(), source })?;
        let (record, revision) = self.read().await?;
        Ok(States {
            job: self.clone(),
            events: events.boxed(),
            revision,
            ended: record.is_terminal(),
            first: Some(record),
            failed: None,
            read_at: Instant::now(),
        })
    }
}

impl States {
    /// Waits for the next record. There is none after the terminal one, after the record was deleted, or when it may no
    /// longer be read; see [`Self::failure`].
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

    /// Takes the error because of which there are no more records although the job has not ended.
    pub fn failure(&mut self) -> Option<StatusError> {
        self.failed.take()
    }

    /// The revision of the record that was returned last.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Turns the states into a stream.
    pub fn into_stream(self) -> impl Stream<Item = Record> + Send + Unpin {
        unfold(self, async |mut states| states.next().await.map(|record| (record, states))).boxed()
    }

    async fn wake(&mut self) -> Wake {
        // Dropping an arm loses nothing: an event is taken from the subscription only when its arm is chosen.
        tokio::select! {
            Some(heard) = self.events.next() => match heard {
                Heard::Event(event) => Wake::Event(event),
                Heard::Missed => Wake::Read,
            },
            () = sleep_until(self.read_at + READ_AGAIN) => Wake::Read,
        }
    }

    async fn take(&mut self, event: Event) -> Option<Record> {
        // An event may be repeated, or overtaken by a read.
        if event.revision <= self.revision {
            return None;
        }
        match event.stored {
            StoredEntry::Record { record, .. } if record.is_terminal() => {
                match self.read_entry().await? {
                    // The record has expired since: its time to live was shorter than the way to the leader.
                    StoredEntry::Absent | StoredEntry::Deleted(_) => self.advance(*record, event.revision),
                    stored => self.advance_to(stored),
                }
            }
            StoredEntry::Record { record, .. } => self.advance(*record, event.revision),
            StoredEntry::Absent
            | StoredEntry::Deleted(_)
            | StoredEntry::Unreadable { .. }
            | StoredEntry::Newer { .. } => self.read().await,
        }
    }

    async fn read(&mut self) -> Option<Record> {
        let stored = self.read_entry().await?;
        self.read_at = Instant::now();
        self.advance_to(stored)
    }

    /// Reads what stands from the leader, as soon as it answers. Where it refuses to, the watch ends.
    async fn read_entry(&mut self) -> Option<StoredEntry> {
        // One that never answered with a record may be missing for good, and is not waited for as long.
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

    /// Takes over what the leader said. A watch whose job has no record any more ends.
    fn advance_to(&mut self, stored: StoredEntry) -> Option<Record> {
        match self.job.readable(stored) {
            Ok((record, revision)) if record.is_terminal() => {
                // A forged event may have claimed a larger revision; the leader's end counts all the same.
                self.revision = self.revision.min(revision.saturating_sub(1));
                self.advance(record, revision)
            }
            Ok((record, revision)) => self.advance(record, revision),
            Err(error) => {
                tracing::debug!(%error, "a watched job has no record any more");
                self.ended = true;
                None
            }
        }
    }

    /// Takes over a record, if it is newer than the one before.
    fn advance(&mut self, record: Record, revision: u64) -> Option<Record> {
        if revision <= self.revision {
            return None;
        }
        self.revision = revision;
        self.ended = record.is_terminal();
        Some(record)
    }
}
