//! Blobs that no record names: left by attempts that were fenced or died. A walk from one to the next, by turns; what one blob
//! costs does not grow with how many there are. Those that go by themselves, as results do, are passed over.

use std::collections::HashMap;

use tokio::time::Instant;
use wasmhost_nats::ReadError;
use wasmhost_nats::blobs::{self, ObjectError};
use wasmhost_protocol::record::{Record, StoredEntry};

use crate::blobs::result_of;
use crate::host::Host;

/// Blobs that one look comes by.
const AT_A_LOOK: usize = 2_000;
/// Blobs of which one look reads the record.
const JUDGED_AT_A_LOOK: usize = 1_000;
/// Orphans that are remembered; further ones wait until some were removed.
const REMEMBERED: usize = 10_000;

/// What the looks so far have found.
pub(super) struct OrphanBlobs<'a> {
    host: &'a Host,
    /// Where the next look goes on; none: it has not begun.
    place: Option<u64>,
    /// Blobs that no record names, and since when.
    orphans: HashMap<String, Instant>,
}

impl<'a> OrphanBlobs<'a> {
    pub(super) fn new(host: &'a Host) -> Self {
        Self { host, place: None, orphans: HashMap::new() }
    }

    pub(super) async fn look(&mut self) -> Result<(), ObjectError> {
        self.remove_overdue().await?;
        let mut place = match self.place {
            Some(place) => place,
            None => somewhere(self.host).await.unwrap_or(1),
        };
        let mut judged = 0;
        for _ in 0..AT_A_LOOK {
            let found = blobs::first(&self.host.storage.connection, place).await?;
            place = found.as_ref().map_or(1, |found| found.place + 1);
            self.place = Some(place);
            let Some(found) = found else { break };
            let Some(name) = found.name.filter(|_| !found.expires) else { continue };
            judged += 1;
            if self.orphans.len() < REMEMBERED && is_orphan(self.host, &name).await {
                self.orphans.entry(name).or_insert_with(Instant::now);
            }
            if judged == JUDGED_AT_A_LOOK {
                break;
            }
        }
        Ok(())
    }

    /// Those that were seen a grace ago, where nothing names them now either.
    async fn remove_overdue(&mut self) -> Result<(), ObjectError> {
        let grace = self.host.config.reconcile_after;
        let overdue = self.orphans.iter().filter(|(_, since)| since.elapsed() >= grace);
        let overdue: Vec<_> = overdue.map(|(name, _)| name.clone()).take(JUDGED_AT_A_LOOK).collect();
        for name in overdue {
            if is_orphan(self.host, &name).await {
                tracing::debug!(blob = name, "removing a blob that no record names");
                blobs::delete(&self.host.storage.connection, &name).await?;
            }
            self.orphans.remove(&name);
        }
        Ok(())
    }
}

/// A place to begin at: hosts that start together share the way.
async fn somewhere(host: &Host) -> Result<u64, ReadError> {
    let last = blobs::last_place(&host.storage.connection).await?;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "about there"
    )]
    Ok((last as f64 * fastrand::f64()) as u64)
}

/// Whether nobody needs the blob. One whose name is not ours, or whose record cannot be read, is left alone.
async fn is_orphan(host: &Host, name: &str) -> bool {
    let Some(key) = host.storage.connection.names.job_of_blob(name) else { return false };
    match host.storage.records.read(&key).await {
        Ok(StoredEntry::Absent | StoredEntry::Deleted(_)) => true,
        Ok(StoredEntry::Record { record, .. }) => !is_named(&record, name) && !may_name(&record, name),
        Ok(StoredEntry::Unreadable { .. } | StoredEntry::Newer { .. }) | Err(_) => false,
    }
}

/// A checkpoint goes with its job: that of one which has ended is of no use, though its record may still name it.
fn is_named(record: &Record, name: &str) -> bool {
    let checkpoint = record.checkpoint.as_ref().filter(|_| !record.is_terminal());
    result_of(record).into_iter().chain(checkpoint).any(|blob| blob.name == name)
}

/// Whether the newest claim still runs: it stores a blob before it names it.
fn may_name(record: &Record, name: &str) -> bool {
    !record.is_terminal() && record.token.is_some_and(|token| name.contains(&token.to_string()))
}
