//! Orphan blobs, which no record names: attempts that were fenced, or whose host died, left them behind. The scans walk the blob
//! store from one description to the next, so that what one blob costs does not grow with how many there are. Blobs that expire
//! by themselves, as results do, are passed over.

use std::collections::HashMap;

use tokio::time::Instant;
use wasmhost_nats::ReadError;
use wasmhost_nats::blobs::{self, ObjectError};
use wasmhost_protocol::record::{Record, StoredEntry};

use crate::host::Host;

/// The most blobs that one scan passes.
const BLOBS_PER_SCAN: usize = 2_000;
/// The most blobs of which one scan reads the record.
const RECORDS_PER_SCAN: usize = 1_000;
/// The most orphans that are remembered. Further ones wait until some were removed.
const MAX_REMEMBERED: usize = 10_000;

/// The scans for orphan blobs.
pub(super) struct OrphanBlobs<'a> {
    host: &'a Host,
    /// Where the next scan goes on; none before the first.
    position: Option<u64>,
    /// Blobs that no record names, and since when that is known.
    orphans: HashMap<String, Instant>,
}

impl<'a> OrphanBlobs<'a> {
    /// Creates the scans of a host.
    pub(super) fn new(host: &'a Host) -> Self {
        Self { host, position: None, orphans: HashMap::new() }
    }

    /// Removes the orphans that are overdue, and scans the next part of the blob store.
    pub(super) async fn scan(&mut self) -> Result<(), ObjectError> {
        self.remove_overdue().await?;
        let mut position = match self.position {
            Some(position) => position,
            None => random_position(self.host).await.unwrap_or(1),
        };
        let mut records_read = 0;
        for _ in 0..BLOBS_PER_SCAN {
            let found = blobs::first(&self.host.storage.connection, position).await?;
            position = found.as_ref().map_or(1, |found| found.place + 1);
            self.position = Some(position);
            let Some(found) = found else { break };
            let Some(name) = found.name.filter(|_| !found.expires) else { continue };
            records_read += 1;
            if self.orphans.len() < MAX_REMEMBERED && is_orphan(self.host, &name).await {
                self.orphans.entry(name).or_insert_with(Instant::now);
            }
            if records_read == RECORDS_PER_SCAN {
                break;
            }
        }
        Ok(())
    }

    /// Removes the blobs that were orphans a grace ago and still are.
    async fn remove_overdue(&mut self) -> Result<(), ObjectError> {
        let grace = self.host.config.reconcile_after;
        let overdue = self.orphans.iter().filter(|(_, since)| since.elapsed() >= grace);
        let overdue: Vec<_> = overdue.map(|(name, _)| name.clone()).take(RECORDS_PER_SCAN).collect();
        for name in overdue {
            // The job may have been claimed since, and its new record may name the blob.
            if is_orphan(self.host, &name).await {
                tracing::debug!(blob = name, "removing a blob that no record names");
                blobs::delete(&self.host.storage.connection, &name).await?;
            }
            self.orphans.remove(&name);
        }
        Ok(())
    }
}

/// Returns a random position to begin at: hosts that start together share the work.
async fn random_position(host: &Host) -> Result<u64, ReadError> {
    let last = blobs::last_place(&host.storage.connection).await?;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an approximate position is enough"
    )]
    Ok((last as f64 * fastrand::f64()) as u64)
}

/// Returns whether nobody needs the blob. A blob whose name is not ours, or whose record cannot be read, is left alone.
async fn is_orphan(host: &Host, name: &str) -> bool {
    let Some(key) = host.storage.connection.names.job_of_blob(name) else { return false };
    match host.storage.records.read(&key).await {
        Ok(StoredEntry::Absent | StoredEntry::Deleted(_)) => true,
        Ok(StoredEntry::Record { record, .. }) => !is_named(&record, name) && !may_name(&record, name),
        Ok(StoredEntry::Unreadable { .. } | StoredEntry::Newer { .. }) | Err(_) => false,
    }
}

/// Returns whether the record names the blob and needs it. The checkpoint of a job that has ended is of no use, though its record
/// may still name it.
fn is_named(record: &Record, name: &str) -> bool {
    let checkpoint = record.checkpoint.as_ref().filter(|_| !record.is_terminal());
    record.result_blob().into_iter().chain(checkpoint).any(|blob| blob.name == name)
}

/// Returns whether the attempt that stored the blob still holds the job: it stores a blob before its record names it.
fn may_name(record: &Record, name: &str) -> bool {
    !record.is_terminal() && record.token.is_some_and(|token| name.contains(&token.to_string()))
}

#[cfg(test)]
mod tests {
    use wasmhost_protocol::record::Payload;

    use super::*;
    use crate::sample::{at, blob, inline, retry, started, succeeded, token, with_checkpoint};

    fn of_claim(kind: &str) -> String {
        format!("m.f.1/1/{}-{kind}", token())
    }

    #[test]
    fn a_record_names_its_result_and_the_checkpoint_of_a_job_that_goes_on() {
        let running = with_checkpoint(&started(), "checkpoint");
        assert!(is_named(&running, "checkpoint") && !is_named(&running, "other"));
        assert!(is_named(&retry(&running, at(100)), "checkpoint"));
        let ended = succeeded(&running, Payload::Blob(blob("result")));
        assert!(is_named(&ended, "result"));
        assert!(!is_named(&ended, "checkpoint"), "a job that has ended needs none");
        assert!(!is_named(&succeeded(&started(), inline()), "result"));
    }

    #[test]
    fn a_record_may_still_name_the_blobs_of_its_claim_until_the_job_has_ended() {
        assert!(may_name(&started(), &of_claim("result")));
        assert!(may_name(&retry(&started(), at(100)), &of_claim("checkpoint-1")));
        assert!(!may_name(&started(), "m.f.1/1/of-another-claim"));
        assert!(!may_name(&succeeded(&started(), inline()), &of_claim("result")));
    }
}
