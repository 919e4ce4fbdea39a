//! Blobs that no record names: left by attempts that were fenced or died, and by records that expired.

use std::collections::HashMap;

use tokio::time::Instant;
use wasmhost_nats::blobs::{self, ObjectError};
use wasmhost_protocol::{End, Payload, Record, Stage, Standing};

use crate::host::Host;

/// Blobs looked at in one look.
const AT_A_LOOK: usize = 1_000;

/// What the looks so far have found.
pub(super) struct Blobs<'a> {
    host: &'a Host,
    /// How many blobs the next look passes over.
    passed: usize,
    /// Blobs that no record names, and since when.
    orphans: HashMap<String, Instant>,
}

impl<'a> Blobs<'a> {
    pub(super) fn new(host: &'a Host) -> Self {
        Self { host, passed: 0, orphans: HashMap::new() }
    }

    pub(super) async fn look(&mut self) -> Result<(), ObjectError> {
        let names = blobs::names(&self.host.connection).await?;
        self.orphans.retain(|name, _| names.contains(name));
        let turn: Vec<_> = names.iter().skip(self.passed).take(AT_A_LOOK).collect();
        self.passed = if turn.len() < AT_A_LOOK { 0 } else { self.passed + AT_A_LOOK };
        for name in turn {
            if !is_orphan(self.host, name).await {
                self.orphans.remove(name);
                continue;
            }
            let since = *self.orphans.entry(name.clone()).or_insert_with(Instant::now);
            if since.elapsed() >= self.host.config.reconcile_after {
                tracing::debug!(blob = name, "removing a blob that no record names");
                blobs::delete(&self.host.connection, name).await?;
            }
        }
        Ok(())
    }
}

/// Whether nobody needs the blob. One whose name is not ours, or whose record cannot be read, is left alone.
async fn is_orphan(host: &Host, name: &str) -> bool {
    let Some(key) = host.connection.names.job_of_blob(name) else { return false };
    match host.records.read(&key).await {
        Ok(Standing::Absent | Standing::Deleted(_)) => true,
        Ok(Standing::Record { record, .. }) => !is_named(&record, name) && !may_name(&record, name),
        Ok(Standing::Unreadable { .. } | Standing::Newer { .. }) | Err(_) => false,
    }
}

fn is_named(record: &Record, name: &str) -> bool {
    let result = match &record.stage {
        Stage::Ended { end: End::Success(Payload::Blob(blob)), .. } => Some(blob),
        Stage::Ended { end: End::Success(Payload::Inline(_)) | End::Failure(_) | End::Revoked, .. }
        | Stage::Pending { .. }
        | Stage::Running(_)
        | Stage::Retry { .. } => None,
    };
    result.into_iter().chain(&record.checkpoint).any(|blob| blob.name == name)
}

/// Whether the newest claim still runs: it stores a blob before it names it.
fn may_name(record: &Record, name: &str) -> bool {
    !record.is_terminal() && record.token.is_some_and(|token| name.contains(&token.to_string()))
}
