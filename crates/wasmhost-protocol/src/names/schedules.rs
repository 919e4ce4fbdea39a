//! Subjects of schedules, and of the messages that they fire.

use super::deployment::{Names, after};
use super::jobs::JobSubject;
use crate::ids::{InvalidName, JobKey, QueueName};

/// Schedules, and the messages that they fire.
impl Names {
    /// Where the stream of schedules keeps, among its metadata, how many bytes they may take: as a limit of the stream's own
    /// it would drop the oldest.
    pub const SCHEDULES_MAX_BYTES: &str = "wasmhost-max-bytes";

    /// The stream of schedules: `WASMHOST_SCHEDULES`.
    #[must_use]
    pub fn schedules_stream(&self) -> String {
        format!("{}_SCHEDULES", self.upper)
    }

    /// Its subjects: the schedules, and what they fire.
    #[must_use]
    pub fn schedule_subjects(&self) -> [String; 2] {
        [format!("{}.schedules.>", self.lower), self.due_filter()]
    }

    /// The schedule of one job: `wasmhost.schedules.<queue>.<key>`.
    #[must_use]
    pub fn schedule(&self, queue: &QueueName, key: &JobKey) -> String {
        format!("{}.schedules.{queue}.{key}", self.lower)
    }

    /// Reads the subject of a job's schedule: its queue and its key. A schedule that somebody made by hand may have any
    /// other name, which is an error here.
    pub fn parse_schedule_subject(&self, subject: &str) -> Result<(QueueName, JobKey), InvalidName> {
        let what = "schedule subject";
        let rest = after(&format!("{}.schedules.", self.lower), what, subject)?;
        let Some((queue, key)) = rest.split_once('.') else {
            return Err(InvalidName::new(
                what,
                "`<queue>.<module>.<function>.<id>` behind its prefix",
                subject,
            ));
        };
        Ok((QueueName::parse(queue)?, JobKey::parse(key)?))
    }

    /// The same for whichever queue: `wasmhost.schedules.*.<key>`.
    #[must_use]
    pub fn schedule_anywhere(&self, key: &JobKey) -> String {
        format!("{}.schedules.*.{key}", self.lower)
    }

    /// All fired messages, the source of the subject transform: `wasmhost.due.>`.
    #[must_use]
    pub fn due_filter(&self) -> String {
        format!("{}.due.>", self.lower)
    }

    /// What the schedule of one job fires: `wasmhost.due.<queue>.<key>`.
    #[must_use]
    pub fn due(&self, queue: &QueueName, key: &JobKey) -> String {
        format!("{}.due.{queue}.{key}", self.lower)
    }

    /// What a schedule fires: `wasmhost.due.<queue>.<module>.<function>`, with the id where there is one.
    #[must_use]
    pub fn due_subject(&self, fired: &JobSubject) -> String {
        let JobSubject { queue, task, id } = fired;
        match id {
            Some(id) => format!("{}.due.{queue}.{task}.{id}", self.lower),
            None => format!("{}.due.{queue}.{task}", self.lower),
        }
    }

    /// Where what is under this subject of the job stream was fired to, whatever its tokens: `wasmhost.due.…` for
    /// `wasmhost.jobs.…`. What the source's subject transform does not take it leaves as it is.
    pub fn due_of(&self, subject: &str) -> Result<String, InvalidName> {
        if subject.starts_with(self.due_filter().trim_end_matches('>')) {
            return Ok(subject.to_owned());
        }
        let rest = after(self.jobs_filter().trim_end_matches('>'), "job subject", subject)?;
        Ok(format!("{}.due.{rest}", self.lower))
    }

    /// Where the source's subject transform brings what fired here; none where it does not take it, as a token looks like a
    /// wildcard.
    #[must_use]
    pub fn job_of_due(&self, subject: &str) -> Option<String> {
        let rest = subject.strip_prefix(self.due_filter().trim_end_matches('>'))?;
        let is_literal = rest.split('.').all(|token| token != "*" && token != ">");
        is_literal.then(|| format!("{}.jobs.{rest}", self.lower))
    }

    /// Reads the subject of a fired message, which says the same as the one that it has in the job stream.
    pub fn parse_due_subject(&self, subject: &str) -> Result<JobSubject, InvalidName> {
        self.parse_queued("due", "due subject", subject)
    }

    /// Messages that the source put into the job stream where no queue has them: those of one token, and those that it
    /// left under the subject that they were fired to.
    #[must_use]
    pub fn out_of_reach(&self) -> [String; 2] {
        [format!("{}.jobs.*", self.lower), self.due_filter()]
    }

    /// The same for whichever queue: `wasmhost.due.*.<key>`.
    #[must_use]
    pub fn due_anywhere(&self, key: &JobKey) -> String {
        format!("{}.due.*.{key}", self.lower)
    }
}
