//! One job as its submitter describes it, checked before anything is sent. [`Client::submit`](crate::Client::submit)
//! records and publishes it.

use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;
use wasmhost_nats::{now, schedules};
use wasmhost_protocol::headers::{BadHeader, HeaderScope, JobOptions};
use wasmhost_protocol::ids::{JobId, JobKey, QueueName, TaskName};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::timestamp::Timestamp;

use crate::submit::error::SubmitError;

/// A job to be submitted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Submission {
    /// The task to run.
    pub task: TaskName,
    /// The job's id; the client makes a new one where there is none.
    pub id: Option<JobId>,
    /// The queue in which the job waits.
    pub queue: QueueName,
    /// What the headers of the message say. The client fills in `revision`, `args_digest` and `submitted_at`.
    pub options: JobOptions,
    /// The arguments as JSON text; an empty text stands for no arguments.
    pub arguments: Bytes,
    /// What the job is checked against before anything is written.
    pub registry_check: RegistryCheck,
    /// Whether this client is told the job's end, so that waiting for it costs the server nothing. Otherwise, and where
    /// `options` names an inbox itself, a handle that waits reads the record and subscribes to its events.
    pub tell_end: bool,
}

/// What a submission is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RegistryCheck {
    /// The registry: whether it has the module and the task, and whether the task takes the arguments.
    #[default]
    Required,
    /// Nothing, since the module may be pushed later. The host refuses at the first attempt what cannot run.
    Skipped,
}

impl Submission {
    /// Describes a job of `task`, a `module.function`, with these arguments, on the default queue.
    ///
    /// # Errors
    ///
    /// The name is none, or the arguments cannot be written as JSON.
    pub fn new(task: &str, arguments: &impl Serialize) -> Result<Self, SubmitError> {
        let mut submission = Self::for_task(TaskName::parse(task)?);
        submission.arguments = to_json(arguments)?;
        Ok(submission)
    }

    /// Describes a job of `task` without arguments, on the default queue.
    #[must_use]
    pub fn for_task(task: TaskName) -> Self {
        Self {
            task,
            id: None,
            queue: QueueName::default_queue(),
            options: JobOptions::default(),
            arguments: Bytes::new(),
            registry_check: RegistryCheck::default(),
            tell_end: true,
        }
    }

    /// The job's key. A submission without an id gets a new one.
    pub(crate) fn key(&mut self) -> JobKey {
        let id = self.id.get_or_insert_with(new_id).clone();
        JobKey::new(self.task.clone(), id)
    }

    /// When the job is to be queued, where that is later than `now`.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let after = self.options.delay.map(|delay| now.plus(delay));
        self.options.at.or(after).filter(|at| *at > now)
    }

    /// Refuses what is known to be wrong without asking anybody.
    pub(crate) fn check(&self) -> Result<(), SubmitError> {
        // The size comes first, since everything else takes time with it.
        let bytes = self.arguments.len();
        if bytes > Limits::ARGUMENT_BYTES {
            return Err(SubmitError::TooLarge { bytes, limit: Limits::ARGUMENT_BYTES });
        }
        let latest = schedules::latest();
        if let Some(at) = self.due(now()).filter(|at| *at > latest) {
            return Err(SubmitError::TooFar { at, latest });
        }
        self.check_options()?;
        // A host takes a byte order mark and spaces around the arguments, and empty arguments for none.
        let text = self.arguments.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.arguments).trim_ascii();
        if text.is_empty() {
            return Ok(());
        }
        Json::check(text).map_err(|source| SubmitError::NotJson { source })
    }

    /// Refuses options with which no host would take the message as a job.
    fn check_options(&self) -> Result<(), BadHeader> {
        let pairs = self.options.to_pairs();
        JobOptions::parse(pairs.iter().map(|(name, value)| (*name, value.as_str())), HeaderScope::Submit)
            .map(drop)
    }
}

fn new_id() -> JobId {
    // Version 7 begins with the time, so that ids sort by it.
    JobId::parse(&Uuid::now_v7().to_string()).expect("a UUID is 36 of 0-9, a-f and `-`")
}

pub(crate) fn to_json(arguments: &impl Serialize) -> Result<Bytes, SubmitError> {
    let text =
        serde_json::to_vec(arguments).map_err(|error| SubmitError::NotJson { source: error.into() })?;
    Ok(text.into())
}
