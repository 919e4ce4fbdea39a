//! Jobs whose message is gone. A job that two scans, a grace apart, see without a message and with the same revision is ended:
//! one scan alone would end a job that is being published at that moment.

mod sightings;

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::time::Instant;
use wasmhost_nats::dead_letters::{self, DeadLetter, DeadLetterSource};
use wasmhost_nats::{
    MessageLocation, ReadError, ScanLimits, Written, fault, limited, locate_message, now, random_write_id,
};
use wasmhost_protocol::dead_letter::DeadLetterKind;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{Record, StoredEntry};
use wasmhost_protocol::rules::end_missing_job;
use wasmhost_protocol::timestamp::Timestamp;

use crate::blobs::drop_checkpoint;
use crate::host::Host;
use sightings::{ScanTimes, Sightings};

/// What one scan may cost the server: about a second of its time, one page of 256 records after the other, and no consumer.
const LIMITS: ScanLimits = ScanLimits { keys: 10_000, records: 300_000 };
/// How many messages are looked up at a time.
const CONCURRENT_LOOKUPS: usize = 32;

/// The scans for jobs whose message is gone.
pub(super) struct MissingMessages<'a> {
    host: &'a Host,
    /// The revision of the bucket at which the next scan starts.
    from: u64,
    /// The newest revision of the bucket when the scan before began. A record that is newer was written since, and is left to
    /// the next scan.
    newest_before: u64,
    sightings: Sightings,
}

/// A record that has not ended, and whose message is nowhere.
struct MissingJob {
    record: Record,
    revision: u64,
}

impl<'a> MissingMessages<'a> {
    /// Creates the scans of a host; the first begins at the start of the bucket.
    pub(super) fn new(host: &'a Host) -> Self {
        Self { host, from: 1, newest_before: 0, sightings: Sightings::default() }
    }

    /// Scans a part of the bucket, and ends the jobs in it that have been without a message for long enough.
    pub(super) async fn scan(&mut self) -> Result<(), ReadError> {
        let started = Instant::now();
        // Read before the scan: what is written during it is newer, and waits for another scan.
        let newest = self.host.storage.records.last_revision().await?;
        let found = self.host.storage.records.list_non_terminal(self.from, LIMITS).await?;
        let host = self.host;
        let newest_before = self.newest_before;
        let unchanged = found.keys.into_iter().filter(|(_, revision)| *revision <= newest_before);
        let looked_up = futures::stream::iter(unchanged)
            .map(async |(key, revision)| (find_missing(host, &key, revision).await, key))
            .buffer_unordered(CONCURRENT_LOOKUPS);
        for (missing, key) in looked_up.collect::<Vec<_>>().await {
            self.end_if_overdue(started, &key, missing).await;
        }
        if found.next.is_none() {
            self.sightings.end_pass();
        }
        self.from = found.next.unwrap_or(1);
        self.newest_before = newest;
        Ok(())
    }

    /// Ends a job whose message is gone, if the grace is over since that was seen first.
    async fn end_if_overdue(
        &mut self,
        started: Instant,
        key: &JobKey,
        missing: Result<Option<MissingJob>, ReadError>,
    ) {
        match missing {
            Ok(Some(job)) => {
                let grace = self.host.config.reconcile_after;
                let times = ScanTimes { scan_started: started, now: Instant::now(), grace };
                if self.sightings.note_missing(key, job.revision, &times) {
                    self.end(key, &job).await;
                }
            }
            Ok(None) => self.sightings.forget(key),
            // A lookup that failed says nothing, for or against.
            Err(error) => limited!(warn, job.key = %key, %error, "could not look a job's message up"),
        }
    }

    /// Ends a job by compare-and-set. Whoever writes the record meanwhile wins, and the next scan sees what was written.
    async fn end(&mut self, key: &JobKey, job: &MissingJob) {
        let host = self.host;
        let Ok(mut ended) = end_missing_job(&job.record, now(), random_write_id()) else { return };
        // The copy precedes the record, as at every failure. It is stored once for all tries.
        if let Some(has_dead_letter) = self.sightings.dead_letter_of(key) {
            *has_dead_letter = *has_dead_letter || dead_letter(host, key, &ended).await;
            if !*has_dead_letter {
                ended.note_missing_dead_letter();
            }
        }
        // A reconciler that dies here leaves a note without an end: that of another host ends the job.
        fault::point("before-reconcile");
        let policy = host.storage.registry.get(&ended.task.module()).map(|entry| entry.policy);
        let ttl = terminal_ttl(policy.as_deref(), &ended);
        match host.storage.records.write(key, &ended, job.revision, Some(ttl)).await {
            Ok(Written::Stored(_)) => {
                drop_checkpoint(&host.storage.connection, Some(&ended)).await;
                limited!(warn, job.key = %key, state = %ended.label(), "reconciled: the message of this job is gone");
            }
            Ok(Written::Superseded(_)) => {}
            Err(error) => {
                limited!(warn, job.key = %key, %error, "could not end a job whose message is gone");
                return;
            }
        }
        self.sightings.forget(key);
    }
}

/// Returns the job of `key` if its record still has this revision and its message, which should be somewhere, is nowhere.
async fn find_missing(host: &Host, key: &JobKey, revision: u64) -> Result<Option<MissingJob>, ReadError> {
    // The scan saw headers, some time ago. What counts is what the leader says now.
    let StoredEntry::Record { record, revision: found } = host.storage.records.read(key).await? else {
        return Ok(None);
    };
    if found != revision || !needs_message(&record, now()) {
        return Ok(None);
    }
    Ok(match locate_message(&host.storage.connection, key, record.msg_seq).await? {
        MessageLocation::Gone => Some(MissingJob { record: *record, revision }),
        MessageLocation::Scheduled | MessageLocation::Due | MessageLocation::Queued => None,
    })
}

/// Returns whether the job needs a message now: it has not ended, and does not wait for its time.
fn needs_message(record: &Record, now: Timestamp) -> bool {
    !record.is_terminal() && record.state.not_before().is_none_or(|at| at <= now)
}

/// Returns how long the record of the end is kept, by the current policy of the job's module. The message, which may have asked for
/// another time, is gone.
fn terminal_ttl(policy: Option<&Policy>, ended: &Record) -> Duration {
    policy.unwrap_or(&Policy::default()).terminal_ttl(ended, None)
}

/// Stores a dead-letter note without a body, since the arguments are gone with the message. Returns whether it was stored, or none
/// is needed.
async fn dead_letter(host: &Host, key: &JobKey, ended: &Record) -> bool {
    let Some(error) = ended.failure() else { return true };
    let subject = host.storage.connection.names.job_subject(&ended.queue, key);
    let note = DeadLetter {
        source: DeadLetterSource::Job(key),
        kind: DeadLetterKind::Failure(error.kind),
        reason: &error.message,
        subject: &subject,
        headers: None,
        body: Bytes::new(),
    };
    dead_letters::publish(&host.storage.connection, note)
        .await
        .inspect_err(|error| limited!(warn, job.key = %key, %error, "could not store a dead-letter note"))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{at, failed, inline, pending, retry, started, succeeded};

    #[test]
    fn a_record_of_the_end_lives_as_long_as_the_module_says_or_an_hour_if_the_job_never_ran() {
        let day = Duration::from_secs(24 * 3600);
        let policy = Policy { result_ttl: 2 * day, ..Policy::default() };
        assert_eq!(terminal_ttl(Some(&policy), &failed(&started())), 2 * day);
        assert_eq!(terminal_ttl(None, &failed(&started())), day, "the module is unknown by now");
        assert_eq!(terminal_ttl(Some(&policy), &failed(&pending(None))), Duration::from_secs(3600));
    }

    #[test]
    fn a_job_that_waits_for_its_time_or_has_ended_needs_no_message() {
        assert!(needs_message(&started(), at(20)) && needs_message(&pending(None), at(20)));
        for waits in [pending(Some(at(100))), retry(&started(), at(100))] {
            assert!(!needs_message(&waits, at(99)), "{waits:?}");
            assert!(needs_message(&waits, at(100)), "{waits:?}");
        }
        assert!(!needs_message(&succeeded(&started(), inline()), at(20)));
    }
}
