//! Jobs whose message is gone. A job that two scans, a grace apart, see without a message and with the same revision is ended:
//! one scan alone would end a job that is being published at that moment. Which jobs have not ended is remembered, so that a scan
//! reads only what was written since the one before.

mod unfinished;

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::time::Instant;
use wasmhost_nats::dead_letters::{self, DeadLetter, DeadLetterSource};
use wasmhost_nats::{
    MessageCounts, MessageLocation, ReadError, Written, count_messages, fault, limited, locate_message, now,
    random_write_id,
};
use wasmhost_protocol::dead_letter::DeadLetterKind;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{Record, StoredEntry};
use wasmhost_protocol::rules::end_missing_job;
use wasmhost_protocol::timestamp::Timestamp;

use crate::blobs::drop_checkpoint;
use crate::host::Host;
use unfinished::{ScanTimes, Unfinished};

/// How many records one scan reads on: about five seconds of the server's time where the bucket is read for the first time, each by a
/// request of its own, and without a consumer. After that only what was written since is read.
const READ_RECORDS: usize = 300_000;
/// How many jobs that have not ended one scan looks at.
const LOOKS: usize = 10_000;
/// How many it looks at where there are fewer messages than such jobs: a stream was purged.
const LOOKS_WHERE_MESSAGES_LACK: usize = 500_000;
/// How many jobs are looked at, or ended, at a time.
const CONCURRENT_LOOKS: usize = 32;

/// The scans for jobs whose message is gone.
pub(super) struct MissingMessages<'a> {
    host: &'a Host,
    /// When the bucket was created whose revisions are remembered.
    bucket_created: Timestamp,
    /// The revision of the bucket at which reading goes on: everything before it was read.
    from: u64,
    /// The newest revision of the bucket when the scan before began. A record that is newer was written since, and is left to
    /// the next scan.
    newest_before: u64,
    unfinished: Unfinished,
}

/// What a look at a revision found.
enum Look {
    /// Something was written over it since.
    WrittenOver,
    /// The job waits for its time, or has its message.
    Well,
    /// The job's message is nowhere.
    Missing(Box<MissingJob>),
}

/// A record that has not ended, and whose message is nowhere.
struct MissingJob {
    key: JobKey,
    record: Record,
    revision: u64,
    has_dead_letter: bool,
}

/// Whether a job was ended, by this scan or by somebody else.
enum Ending {
    Over,
    NotYet { has_dead_letter: bool },
}

impl<'a> MissingMessages<'a> {
    /// Creates the scans of a host; the first begins at the start of the bucket.
    pub(super) fn new(host: &'a Host) -> Self {
        let bucket_created = host.storage.bucket.created();
        Self { host, bucket_created, from: 1, newest_before: 0, unfinished: Unfinished::default() }
    }

    /// Reads what was written since the last scan, looks at a part of the jobs that have not ended, and ends those among them
    /// that have been without a message for long enough.
    pub(super) async fn scan(&mut self) -> Result<(), ReadError> {
        let host = self.host;
        let started = Instant::now();
        // Read before the scan: what is written during it is newer, and waits for another scan.
        let newest = host.storage.records.last_revision().await?;
        // The reconciler has inspected the bucket: one that was recreated counts from the start.
        if host.storage.bucket.created() != self.bucket_created {
            *self = Self::new(host);
        }
        let has_read_all = self.read_on().await?;
        // Counted before anything is looked at: the records that are looked at are older.
        let counts = count_messages(&host.storage.connection).await?;
        let messages_lack = has_read_all && self.unfinished.len() as u64 > counts.scheduled + counts.queued;
        // Without room nothing new is read, and what was written over is found by looking alone.
        let looks =
            if messages_lack || self.unfinished.is_full() { LOOKS_WHERE_MESSAGES_LACK } else { LOOKS };
        let revisions = self.unfinished.next_to_look_at(looks, self.newest_before);
        let mut looked_at = futures::stream::iter(revisions)
            .map(async |revision| (revision, look_at(host, revision, counts).await))
            .buffer_unordered(CONCURRENT_LOOKS)
            .ready_chunks(LOOKS);
        while let Some(looks) = looked_at.next().await {
            let overdue: Vec<_> =
                looks.into_iter().filter_map(|(revision, look)| self.note(started, revision, look)).collect();
            let ending = futures::stream::iter(overdue)
                .map(async |job| (job.revision, end(host, *job).await))
                .buffer_unordered(CONCURRENT_LOOKS);
            for (revision, ending) in ending.collect::<Vec<_>>().await {
                match ending {
                    Ending::Over => self.unfinished.forget(revision),
                    Ending::NotYet { has_dead_letter } => self.unfinished.keep(revision, has_dead_letter),
                }
            }
        }
        self.newest_before = newest;
        Ok(())
    }

    /// Reads on in the bucket. Returns whether everything was read.
    async fn read_on(&mut self) -> Result<bool, ReadError> {
        // What was there at the scan before: replicas that lag less than the time since have it.
        let last = self.newest_before;
        let mut records = 0;
        while self.from <= last && records < READ_RECORDS && !self.unfinished.is_full() {
            let part = self.host.storage.records.read_on(self.from, last).await?;
            records += part.revisions.len();
            part.revisions.iter().for_each(|revision| self.unfinished.read(revision));
            // Noted at once: an answer that is lost later costs one part.
            self.from = part.next;
        }
        Ok(self.from > last)
    }

    /// Takes note of what a look found. Returns the job if it is to be ended: the grace is over since it was first seen without a
    /// message.
    fn note(
        &mut self,
        started: Instant,
        revision: u64,
        look: Result<Look, ReadError>,
    ) -> Option<Box<MissingJob>> {
        match look {
            Ok(Look::Missing(mut job)) => {
                let grace = self.host.config.reconcile_after;
                let times = ScanTimes { scan_started: started, now: Instant::now(), grace };
                job.has_dead_letter = self.unfinished.has_dead_letter(revision);
                return self.unfinished.note_missing(revision, &times).then_some(job);
            }
            Ok(Look::Well) => self.unfinished.note_well(revision),
            Ok(Look::WrittenOver) => self.unfinished.forget(revision),
            // A look that failed says nothing, for or against.
            Err(error) => limited!(warn, revision, %error, "could not look a job's message up"),
        }
        None
    }
}

/// Looks at the record with this revision, and for its message, which should be somewhere.
async fn look_at(host: &Host, revision: u64, counts: MessageCounts) -> Result<Look, ReadError> {
    // Reading on saw headers, some time ago. What counts is what the leader says now.
    let stored = host.storage.records.read_revision(revision).await?;
    let Some((key, StoredEntry::Record { record, .. })) = stored else { return Ok(Look::WrittenOver) };
    if record.is_terminal() {
        return Ok(Look::WrittenOver);
    }
    if record.state.not_before().is_some_and(|at| at > now()) {
        return Ok(Look::Well);
    }
    let location = locate_message(&host.storage.connection, &key, record.msg_seq, counts).await?;
    Ok(match location {
        MessageLocation::Gone => {
            Look::Missing(Box::new(MissingJob { key, record: *record, revision, has_dead_letter: false }))
        }
        MessageLocation::Scheduled | MessageLocation::Due | MessageLocation::Queued => Look::Well,
    })
}

/// Ends a job by compare-and-set. Whoever writes the record meanwhile wins, and another scan sees what was written.
async fn end(host: &Host, job: MissingJob) -> Ending {
    let MissingJob { key, record, revision, mut has_dead_letter } = job;
    let Ok(mut ended) = end_missing_job(&record, now(), random_write_id()) else { return Ending::Over };
    // The copy precedes the record, as at every failure. It is stored once for all tries.
    has_dead_letter = has_dead_letter || dead_letter(host, &key, &ended).await;
    if !has_dead_letter {
        ended.note_missing_dead_letter();
    }
    // A reconciler that dies here leaves a note without an end: that of another host ends the job.
    fault::point("before-reconcile");
    let policy = host.storage.registry.get(&ended.task.module()).map(|entry| entry.policy);
    let ttl = terminal_ttl(policy.as_deref(), &ended);
    match host.storage.records.write(&key, &ended, revision, Some(ttl)).await {
        Ok(Written::Stored(_)) => {
            drop_checkpoint(&host.storage.connection, Some(&ended)).await;
            limited!(warn, job.key = %key, state = %ended.label(), "reconciled: the message of this job is gone");
            Ending::Over
        }
        Ok(Written::Superseded(_)) => Ending::Over,
        Err(error) => {
            limited!(warn, job.key = %key, %error, "could not end a job whose message is gone");
            Ending::NotYet { has_dead_letter }
        }
    }
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
    use crate::sample::{failed, pending, started};

    #[test]
    fn a_record_of_the_end_lives_as_long_as_the_module_says_or_an_hour_if_the_job_never_ran() {
        let day = Duration::from_secs(24 * 3600);
        let policy = Policy { result_ttl: 2 * day, ..Policy::default() };
        assert_eq!(terminal_ttl(Some(&policy), &failed(&started())), 2 * day);
        assert_eq!(terminal_ttl(None, &failed(&started())), day, "the module is unknown by now");
        assert_eq!(terminal_ttl(Some(&policy), &failed(&pending(None))), Duration::from_secs(3600));
    }
}
