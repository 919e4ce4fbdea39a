//! What a running guest publishes, written into its record (T2): states, coalesced, and checkpoints.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};
use wasmhost_nats::{ANSWER_TIMEOUT, OwnedWrite, blobs, limited, now, random_write};
use wasmhost_protocol::{Change, Event, Illegal, Writer, next};
use wasmhost_sandbox::Post;

use super::{Fenced, Lease};

/// At most one checkpoint is written in this time.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// Checkpoints of this attempt.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// The newest one, not yet written.
    pub(super) held: Option<Bytes>,
    /// Written so far.
    saved: u32,
    /// The earliest time of the next write.
    pub(super) due_at: Instant,
}

/// What becomes of a checkpoint that is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    WhenDue,
    WriteNow,
}

impl Checkpoints {
    /// None so far.
    pub(super) fn new() -> Self {
        Self { held: None, saved: 0, due_at: Instant::now() }
    }
}

impl Lease {
    /// T2 for what the guest posted: first the checkpoint, then the state.
    pub(super) async fn publish(&mut self, post: Option<Post>, held: Held) -> Result<(), Fenced> {
        let Post { update, checkpoint } = post.unwrap_or_default();
        self.checkpoints.held = checkpoint.or(self.checkpoints.held.take());
        if held == Held::WriteNow || self.checkpoints.due_at <= Instant::now() {
            self.save_checkpoint().await?;
        }
        if let Some(update) = update {
            self.show(Event::Progress { state: update.state, meta: update.meta }).await?;
        }
        let rate = self.policy.limits.updates_per_second.max(1);
        self.next_write_at = Instant::now() + Duration::from_secs(1) / rate;
        Ok(())
    }

    /// Each checkpoint has a name of its own, so that the one in the record stays whole until another is named there.
    async fn save_checkpoint(&mut self) -> Result<(), Fenced> {
        let Some(bytes) = self.checkpoints.held.take() else { return Ok(()) };
        self.checkpoints.saved += 1;
        let name = self.blob_name(&format!("checkpoint-{}", self.checkpoints.saved));
        let before = self.record.checkpoint.clone();
        let connection = self.host.connection.clone();
        match self.hold_on_while(blobs::put(&connection, &name, bytes)).await {
            Ok(blob) => self.show(Event::Checkpoint(blob)).await?,
            Err(error) => limited!(warn, job.key = %self.delivery.key, %error, "could not keep a checkpoint"),
        }
        if let Some(before) = before.filter(|before| self.record.checkpoint.as_ref() != Some(before)) {
            drop(self.hold_on_while(blobs::delete(&connection, &before.name)).await);
        }
        self.checkpoints.due_at = Instant::now() + CHECKPOINT_EVERY;
        Ok(())
    }

    /// Writes a T2; a revoke in the record means that it is dropped.
    async fn show(&mut self, event: Event) -> Result<(), Fenced> {
        loop {
            let write = random_write();
            let change =
                Change { event: event.clone(), writer: Writer::Owner(self.token), now: now(), write };
            let record = match next(Some(&self.record), &change) {
                Ok(record) => record,
                Err(Illegal::Revoked) => return Ok(()),
                Err(_) => return Err(Fenced),
            };
            let (key, records) = (self.delivery.key.clone(), self.host.records.clone());
            let writing = records.write_owned(&key, &record, self.revision, None, self.token);
            match timeout_at(self.lapses_at.min(Instant::now() + ANSWER_TIMEOUT), writing).await {
                Ok(Ok(OwnedWrite::Landed(revision))) => {
                    self.adopt(record, revision);
                    return Ok(());
                }
                Ok(Ok(OwnedWrite::Moved { record, revision })) => self.adopt(*record, revision),
                Ok(Ok(OwnedWrite::Fenced)) => return Err(Fenced),
                // Whether the lease has lapsed with it is for the next look to say; an outcome is not thrown away for it.
                Err(_) => return Ok(()),
                Ok(Err(error)) => {
                    limited!(warn, job.key = %key, %error, "could not write progress");
                    return Ok(());
                }
            }
        }
    }
}
