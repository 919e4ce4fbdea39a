//! Names of the schedule stream: subjects of schedules and of the due messages that they fire.

use super::deployment::{Names, strip_subject_prefix};
use super::jobs::JobSubject;
use crate::ids::{InvalidName, JobKey, QueueName};

/// Names of the schedule stream: subjects of schedules and of the due messages that they fire.
impl Names {
    /// The key in the schedule stream's metadata whose value is how many bytes schedules may take together. A
    /// limit of the stream itself would drop the oldest schedules, because the server lets such a stream
    /// discard nothing else.
    pub const SCHEDULES_MAX_BYTES: &str = "wasmhost-max-bytes";

    /// Returns the name of the schedule stream: `WASMHOST_SCHEDULES`.
    #[must_use]
    pub fn schedules_stream(&self) -> String {
        format!("{}_SCHEDULES", self.upper)
    }

    /// Returns the subjects of the schedule stream: those of schedules and those of due messages.
    #[must_use]
    pub fn schedule_subjects(&self) -> [String; 2] {
        [format!("{}.schedules.>", self.lower), self.due_filter()]
    }

    /// Returns the subject of a job's schedule: `wasmhost.schedules.<queue>.<key>`.
    #[must_use]
    pub fn schedule(&self, queue: &QueueName, key: &JobKey) -> String {
        format!("{}.schedules.{queue}.{key}", self.lower)
    }

    /// Reads the subject of a job's schedule: its queue and its key. A schedule that somebody made by hand may have any
    /// other name, which is an error here.
    pub fn parse_schedule_subject(&self, subject: &str) -> Result<(QueueName, JobKey), InvalidName> {
        let what = "schedule subject";
        let rest = strip_subject_prefix(&format!("{}.schedules.", self.lower), what, subject)?;
        let Some((queue, key)) = rest.split_once('.') else {
            return Err(InvalidName::new(
                what,
                "`<queue>.<module>.<function>.<id>` behind its prefix",
                subject,
            ));
        };
        Ok((QueueName::parse(queue)?, JobKey::parse(key)?))
    }

    /// Returns the subject of a job's schedule in any queue: `wasmhost.schedules.*.<key>`.
    #[must_use]
    pub fn schedule_anywhere(&self, key: &JobKey) -> String {
        format!("{}.schedules.*.{key}", self.lower)
    }

    /// Returns the subject of all due messages, which is also the source of the job stream's subject
    /// transform: `wasmhost.due.>`.
    #[must_use]
    pub fn due_filter(&self) -> String {
        format!("{}.due.>", self.lower)
    }

    /// Returns the subject of a job's due message: `wasmhost.due.<queue>.<key>`.
    #[must_use]
    pub fn due(&self, queue: &QueueName, key: &JobKey) -> String {
        format!("{}.due.{queue}.{key}", self.lower)
    }

    /// Returns the subject of a due message: `wasmhost.due.<queue>.<module>.<function>[.<id>]`.
    #[must_use]
    pub fn due_subject(&self, fired: &JobSubject) -> String {
        let JobSubject { queue, task, id } = fired;
        match id {
            Some(id) => format!("{}.due.{queue}.{task}.{id}", self.lower),
            None => format!("{}.due.{queue}.{task}", self.lower),
        }
    }

    /// Returns the subject that a message of the job stream was fired to: `wasmhost.due.…` for
    /// `wasmhost.jobs.…`, whatever its tokens are.
    pub fn due_of(&self, subject: &str) -> Result<String, InvalidName> {
        // The source leaves a subject as it is that its transform does not match.
        if subject.starts_with(self.due_filter().trim_end_matches('>')) {
            return Ok(subject.to_owned());
        }
        let rest = strip_subject_prefix(self.jobs_filter().trim_end_matches('>'), "job subject", subject)?;
        Ok(format!("{}.due.{rest}", self.lower))
    }

    /// Returns the subject that a due message has in the job stream. Returns `None` where the source's
    /// subject transform does not match it, because one of its tokens looks like a wildcard.
    #[must_use]
    pub fn job_of_due(&self, subject: &str) -> Option<String> {
        // The server does not transform a subject with a token that is a wildcard by itself. Such a message
        // comes to the job stream under the subject that it was fired to.
        let rest = subject.strip_prefix(self.due_filter().trim_end_matches('>'))?;
        let is_literal = rest.split('.').all(|token| token != "*" && token != ">");
        is_literal.then(|| format!("{}.jobs.{rest}", self.lower))
    }

    /// Parses the subject of a due message, which says the same as the subject that it has in the job stream.
    pub fn parse_due_subject(&self, subject: &str) -> Result<JobSubject, InvalidName> {
        self.parse_queued("due", "due subject", subject)
    }

    /// Returns the subjects of messages that the source puts into the job stream where no queue has them:
    /// those with one token, and those that keep the subject that they were fired to.
    #[must_use]
    pub fn out_of_reach(&self) -> [String; 2] {
        [format!("{}.jobs.*", self.lower), self.due_filter()]
    }

    /// Returns the subject of a job's due message in any queue: `wasmhost.due.*.<key>`.
    #[must_use]
    pub fn due_anywhere(&self, key: &JobKey) -> String {
        format!("{}.due.*.{key}", self.lower)
    }
}
