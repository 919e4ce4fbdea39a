//! The stream of jobs and the consumers of its queues.

use super::deployment::{Names, after, parse_target};
use super::sourced::Sourced;
use crate::digest::Digest;
use crate::ids::{InvalidName, JobId, JobKey, QueueName, TaskName};
use crate::timestamp::Timestamp;

/// What a subject of the job stream says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobSubject {
    /// The queue.
    pub queue: QueueName,
    /// The task.
    pub task: TaskName,
    /// The id; none where the publisher gave none, and it is derived.
    pub id: Option<JobId>,
}

impl JobSubject {
    /// The key of the message's job. An id that nobody gave is derived from what stays the same whenever the message is
    /// seen: from what fired, with the digest of its body, or else from its sequence in the job stream and when it was stored there.
    #[must_use]
    pub fn key(
        &self,
        sourced: Option<&Sourced>,
        (sequence, stored_at): (u64, Timestamp),
        body: impl FnOnce() -> Digest,
    ) -> JobKey {
        let derived = || match sourced {
            Some(sourced) => sourced.id(&body()),
            None => JobId::derived(sequence, stored_at.unix_ms()),
        };
        JobKey::new(self.task.clone(), self.id.clone().unwrap_or_else(derived))
    }
}

/// Jobs, and the consumers of their queues.
impl Names {
    /// The stream of jobs: `WASMHOST_JOBS`.
    #[must_use]
    pub fn jobs_stream(&self) -> String {
        format!("{}_JOBS", self.upper)
    }

    /// Its subjects, without and with an id; any other number of tokens is refused by the server itself.
    #[must_use]
    pub fn jobs_stream_subjects(&self) -> [String; 2] {
        [format!("{}.jobs.*.*.*", self.lower), format!("{}.jobs.*.*.*.*", self.lower)]
    }

    /// All jobs, the destination of the source's subject transform: `wasmhost.jobs.>`.
    #[must_use]
    pub fn jobs_filter(&self) -> String {
        format!("{}.jobs.>", self.lower)
    }

    /// The jobs of one queue: `wasmhost.jobs.<queue>.>`.
    #[must_use]
    pub fn jobs_of_queue(&self, queue: &QueueName) -> String {
        format!("{}.jobs.{queue}.>", self.lower)
    }

    /// One job: `wasmhost.jobs.<queue>.<key>`.
    #[must_use]
    pub fn job_subject(&self, queue: &QueueName, key: &JobKey) -> String {
        format!("{}.jobs.{queue}.{key}", self.lower)
    }

    /// One job in whichever queue: `wasmhost.jobs.*.<key>`.
    #[must_use]
    pub fn job_anywhere(&self, key: &JobKey) -> String {
        format!("{}.jobs.*.{key}", self.lower)
    }

    /// Jobs whose id is derived: `wasmhost.jobs.<queue>.<module>.<function>`.
    #[must_use]
    pub fn job_without_id(&self, queue: &QueueName, task: &TaskName) -> String {
        format!("{}.jobs.{queue}.{task}", self.lower)
    }

    /// The same in whichever queue: `wasmhost.jobs.*.<module>.<function>`.
    #[must_use]
    pub fn without_id_anywhere(&self, task: &TaskName) -> String {
        format!("{}.jobs.*.{task}", self.lower)
    }

    /// Reads a subject of the job stream.
    pub fn parse_job_subject(&self, subject: &str) -> Result<JobSubject, InvalidName> {
        self.parse_queued("jobs", "job subject", subject)
    }

    pub(super) fn parse_queued(
        &self,
        kind: &str,
        what: &'static str,
        subject: &str,
    ) -> Result<JobSubject, InvalidName> {
        let rest = after(&format!("{}.{kind}.", self.lower), what, subject)?;
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

    /// The durable consumer of a queue: `wasmhost-<queue>`.
    #[must_use]
    pub fn consumer(&self, queue: &QueueName) -> String {
        format!("{}-{queue}", self.lower)
    }

    /// Where free slots ask for the next deliveries of a queue.
    #[must_use]
    pub fn next_message(&self, queue: &QueueName) -> String {
        format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.jobs_stream(), self.consumer(queue))
    }
}
