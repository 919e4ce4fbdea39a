//! Names of the job stream and of the consumers of its queues, and the keys of the jobs in it.

use super::deployment::{Names, parse_target, strip_subject_prefix};
use super::schedule_origin::ScheduleOrigin;
use crate::digest::Digest;
use crate::ids::{InvalidName, JobId, JobKey, QueueName, TaskName};
use crate::timestamp::Timestamp;

/// A `JobSubject` is what a subject of the job stream says of its job. The subject of a due message says the
/// same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobSubject {
    /// The queue that the job waits in.
    pub queue: QueueName,
    /// The task that the job runs.
    pub task: TaskName,
    /// The job's id; `None` where the publisher gave none and it is derived.
    pub id: Option<JobId>,
}

impl JobSubject {
    /// Returns the key of the message's job. An id that the publisher did not give is derived from what is
    /// the same at every delivery: for a message that a schedule fired, from its source and the digest of its
    /// body; for any other, from its sequence in the job stream and the time at which it was stored there.
    /// `body` is called only where the digest is needed.
    #[must_use]
    pub fn key(
        &self,
        origin: Option<&ScheduleOrigin>,
        (sequence, stored_at): (u64, Timestamp),
        body: impl FnOnce() -> Digest,
    ) -> JobKey {
        // After a crash of the server the same due message may come under another sequence of the job stream.
        // An id derived from that sequence would run its job a second time.
        let derived = || match origin {
            Some(origin) => origin.id(&body()),
            None => JobId::derived(sequence, stored_at.unix_ms()),
        };
        JobKey::new(self.task.clone(), self.id.clone().unwrap_or_else(derived))
    }
}

/// Names of the job stream and of the consumers of its queues.
impl Names {
    /// Returns the name of the job stream: `WASMHOST_JOBS`.
    #[must_use]
    pub fn jobs_stream(&self) -> String {
        format!("{}_JOBS", self.upper)
    }

    /// Returns the subjects of the job stream, without and with an id. The number of tokens is exact, so that
    /// the server itself refuses a message with any other number.
    #[must_use]
    pub fn jobs_stream_subjects(&self) -> [String; 2] {
        [format!("{}.jobs.*.*.*", self.lower), format!("{}.jobs.*.*.*.*", self.lower)]
    }

    /// Returns the subject of all jobs, which is also the destination of the source's subject transform:
    /// `wasmhost.jobs.>`.
    #[must_use]
    pub fn jobs_filter(&self) -> String {
        format!("{}.jobs.>", self.lower)
    }

    /// Returns the subject of all jobs of a queue: `wasmhost.jobs.<queue>.>`.
    #[must_use]
    pub fn jobs_of_queue(&self, queue: &QueueName) -> String {
        format!("{}.jobs.{queue}.>", self.lower)
    }

    /// Returns the subject of a job: `wasmhost.jobs.<queue>.<key>`.
    #[must_use]
    pub fn job_subject(&self, queue: &QueueName, key: &JobKey) -> String {
        format!("{}.jobs.{queue}.{key}", self.lower)
    }

    /// Returns the subject of a job in any queue: `wasmhost.jobs.*.<key>`.
    #[must_use]
    pub fn job_anywhere(&self, key: &JobKey) -> String {
        format!("{}.jobs.*.{key}", self.lower)
    }

    /// Returns the subject of jobs whose id is derived: `wasmhost.jobs.<queue>.<module>.<function>`.
    #[must_use]
    pub fn job_without_id(&self, queue: &QueueName, task: &TaskName) -> String {
        format!("{}.jobs.{queue}.{task}", self.lower)
    }

    /// Parses a subject of the job stream.
    pub fn parse_job_subject(&self, subject: &str) -> Result<JobSubject, InvalidName> {
        self.parse_queued("jobs", "job subject", subject)
    }

    /// Returns the queue whose consumer delivers messages on this subject of the job stream, if any. The rest of the subject
    /// may be unreadable.
    #[must_use]
    pub fn queue_of(&self, subject: &str) -> Option<QueueName> {
        let rest = subject.strip_prefix(self.jobs_filter().trim_end_matches('>'))?;
        QueueName::parse(rest.split_once('.')?.0).ok()
    }

    pub(super) fn parse_queued(
        &self,
        kind: &str,
        what: &'static str,
        subject: &str,
    ) -> Result<JobSubject, InvalidName> {
        let rest = strip_subject_prefix(&format!("{}.{kind}.", self.lower), what, subject)?;
        let Some((queue, target)) = rest.split_once('.') else {
            return Err(InvalidName::new(
                what,
                "`<queue>.<module>.<function>[.<id>]` behind its prefix",
                subject,
            ));
        };
        let (task, id) = parse_target(target)?;
        Ok(JobSubject { queue: QueueName::parse(queue)?, task, id })
    }

    /// Returns the name of a queue's durable consumer: `wasmhost-<queue>`.
    #[must_use]
    pub fn consumer(&self, queue: &QueueName) -> String {
        format!("{}-{queue}", self.lower)
    }

    /// Returns the subject of requests for the next deliveries of a queue:
    /// `$JS.API.CONSUMER.MSG.NEXT.WASMHOST_JOBS.wasmhost-<queue>`.
    #[must_use]
    pub fn next_message(&self, queue: &QueueName) -> String {
        format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.jobs_stream(), self.consumer(queue))
    }
}
