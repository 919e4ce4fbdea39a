//! Jobs whose message is gone: seen without one at two looks a grace apart, with the same revision, they are ended.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::time::Instant;
use wasmhost_nats::dead::{Dead, Kept, publish_dead};
use wasmhost_nats::{
    MessageLocation, ReadError, ScanLimits, Written, fault, limited, locate_message, now, random_write,
};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::{End, JobState, Record, StoredEntry};
use wasmhost_protocol::rules::end_missing_job;

use crate::blobs::drop_checkpoint;
use crate::host::Host;

/// What one look may cost the server: about a second of its time, a page of 256 records at a time, and no consumer.
const LIMITS: ScanLimits = ScanLimits { keys: 10_000, records: 300_000 };
/// Jobs looked up at a time.
const AT_A_TIME: usize = 32;
/// Jobs without a message that are remembered from one look to the next; more have to wait until these have ended.
const REMEMBERED: usize = 100_000;

/// What the looks so far have found.
pub(super) struct MissingMessages<'a> {
    host: &'a Host,
    /// Where the next look starts in the bucket.
    from: u64,
    /// The newest revision at the look before: what is not newer has stood since then.
    horizon: u64,
    /// Jobs without a message.
    missing: HashMap<JobKey, Missing>,
    /// Those of them that were seen since the bucket's beginning.
    seen: HashSet<JobKey>,
}

/// A job without a message.
#[derive(Debug, Clone, Copy)]
struct Missing {
    revision: u64,
    since: Instant,
    /// Whether that it failed is kept for people already.
    dead_lettered: bool,
}

/// A record that has not ended, and whose message is nowhere.
struct Orphan {
    record: Record,
    revision: u64,
}

impl<'a> MissingMessages<'a> {
    pub(super) fn new(host: &'a Host) -> Self {
        Self { host, from: 1, horizon: 0, missing: HashMap::new(), seen: HashSet::new() }
    }

    pub(super) async fn look(&mut self) -> Result<(), ReadError> {
        let started = Instant::now();
        let horizon = self.host.storage.records.last_revision().await?;
        let found = self.host.storage.records.list_non_terminal(self.from, LIMITS).await?;
        let (host, before) = (self.host, self.horizon);
        let stood = found.keys.into_iter().filter(|(_, revision)| *revision <= before);
        let looked = futures::stream::iter(stood)
            .map(async |(key, revision)| (orphan(host, &key, revision).await, key))
            .buffer_unordered(AT_A_TIME);
        for (orphan, key) in looked.collect::<Vec<_>>().await {
            match orphan {
                Ok(Some(orphan)) if self.is_overdue(&key, orphan.revision, started) => {
                    self.end(&key, &orphan).await;
                }
                Ok(Some(_)) => {}
                Ok(None) => drop(self.missing.remove(&key)),
                Err(error) => limited!(warn, job.key = %key, %error, "could not look a job's message up"),
            }
        }
        if found.next.is_none() {
            self.forget_unseen();
        }
        (self.from, self.horizon) = (found.next.unwrap_or(1), horizon);
        Ok(())
    }

    /// At the end of the bucket: what was not seen since the last time has ended by other hands.
    fn forget_unseen(&mut self) {
        let seen = std::mem::take(&mut self.seen);
        self.missing.retain(|key, _| seen.contains(key));
    }

    /// Whether this revision was seen without a message a grace before this look `started`.
    fn is_overdue(&mut self, key: &JobKey, revision: u64, started: Instant) -> bool {
        if self.missing.len() >= REMEMBERED && !self.missing.contains_key(key) {
            return false;
        }
        let now = Instant::now();
        self.seen.insert(key.clone());
        let new = Missing { revision, since: now, dead_lettered: false };
        let missing = self.missing.entry(key.clone()).or_insert(new);
        if missing.revision != revision {
            *missing = new;
        }
        started.saturating_duration_since(missing.since) >= self.host.config.reconcile_after
    }

    /// T8, or T6 and T6b where the job was revoked or has expired. Whoever writes meanwhile wins; the next look sees.
    async fn end(&mut self, key: &JobKey, orphan: &Orphan) {
        let host = self.host;
        let Ok(ended) = end_missing_job(&orphan.record, now(), random_write()) else { return };
        if let Some(missing) = self.missing.get_mut(key).filter(|missing| !missing.dead_lettered) {
            missing.dead_lettered = dead_letter(host, key, &ended).await;
        }
        fault::point("before-reconcile");
        match host.storage.records.write(key, &ended, orphan.revision, Some(ttl(host, &ended))).await {
            Ok(Written::Landed(_)) => {
                drop_checkpoint(&host.storage.connection, Some(&ended)).await;
                limited!(warn, job.key = %key, state = %ended.state(), "reconciled: the message of this job is gone");
            }
            Ok(Written::Moved(_)) => {}
            Err(error) => {
                limited!(warn, job.key = %key, %error, "could not end a job whose message is gone");
                return;
            }
        }
        self.missing.remove(key);
    }
}

/// The record of `key`, where it still has this revision and its message is nowhere though it should be somewhere.
async fn orphan(host: &Host, key: &JobKey, revision: u64) -> Result<Option<Orphan>, ReadError> {
    let StoredEntry::Record { record, revision: found } = host.storage.records.read(key).await? else {
        return Ok(None);
    };
    if found != revision || record.is_terminal() || record.stage.not_before().is_some_and(|at| at > now()) {
        return Ok(None);
    }
    Ok(match locate_message(&host.storage.connection, key, record.msg_seq).await? {
        MessageLocation::Gone => Some(Orphan { record: *record, revision }),
        MessageLocation::Scheduled | MessageLocation::Due | MessageLocation::Queued => None,
    })
}

/// How long the record is kept, by what the registry says of the module now: the message, which may have asked for another
/// time, is gone.
fn ttl(host: &Host, ended: &Record) -> Duration {
    let current = host.storage.registry.get(&ended.task.module()).map(|entry| entry.policy);
    current.unwrap_or_default().terminal_ttl(ended, None)
}

/// The arguments are gone with the message; that it failed is kept for people all the same. Whether it could be.
async fn dead_letter(host: &Host, key: &JobKey, ended: &Record) -> bool {
    let JobState::Ended { end: End::Failure(error), .. } = &ended.stage else { return true };
    let why = (error.kind.as_str(), &*error.message);
    let subject = host.storage.connection.names.job_subject(&ended.queue, key);
    let kept = Kept { dead: Dead::Job(key), subject: &subject, headers: None, body: Bytes::new() };
    let kept = publish_dead(&host.storage.connection, kept, why).await;
    kept.inspect_err(|error| limited!(warn, job.key = %key, %error, "could not keep a note for people"))
        .is_ok()
}
