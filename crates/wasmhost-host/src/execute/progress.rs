//! What a running guest publishes, written into its record (T2): states, coalesced. Its checkpoints
//! are in `checkpoints`.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmhost_nats::{ANSWER_TIMEOUT, OwnedWrite, limited, now, random_write};
use wasmhost_protocol::machine::{Illegal, Transition, WriteIntent, Writer, transition};
use wasmhost_sandbox::PendingUpdates;

use super::{Fenced, Lease};

impl Lease {
    /// T2 for what the guest posted. Its checkpoint is stored beside; its state is written now.
    pub(super) async fn publish(&mut self, post: Option<PendingUpdates>) -> Result<(), Fenced> {
        let PendingUpdates { update, checkpoint } = post.unwrap_or_default();
        if let Some(checkpoint) = checkpoint {
            self.checkpoints.hold(checkpoint);
        }
        if let Some(update) = update {
            self.show(Transition::Progress { state: update.state, meta: update.meta }).await?;
        }
        let rate = self.policy.limits.updates_per_second.max(1);
        self.next_write_at = Instant::now() + Duration::from_secs(1) / rate;
        Ok(())
    }

    /// Writes a T2; a revoke in the record means that it is dropped.
    pub(super) async fn show(&mut self, event: Transition) -> Result<(), Fenced> {
        loop {
            let write = random_write();
            let change = WriteIntent {
                transition: event.clone(),
                writer: Writer::Owner(self.token),
                now: now(),
                write,
            };
            let record = match transition(Some(&self.record), &change) {
                Ok(record) => record,
                Err(Illegal::Revoked) => return Ok(()),
                Err(_) => return Err(Fenced),
            };
            let (key, records) = (self.delivery.key.clone(), self.host.records.clone());
            let writing = records.write_owned(&key, &record, self.revision, None, self.token);
            match timeout_at(self.lapses_at.min(Instant::now() + ANSWER_TIMEOUT), writing).await {
                Ok(Ok(OwnedWrite::Landed(revision))) => {
                    self.accept_revision(record, revision);
                    return Ok(());
                }
                Ok(Ok(OwnedWrite::Moved { record, revision })) => self.accept_revision(*record, revision),
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
