//! One job as its submitter describes it: parsed here, at the edge. Recording and publishing it is `submit`'s.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;
use wasmhost_nats::{now, schedules};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::headers::{BadHeader, HeaderScope, JobOptions};
use wasmhost_protocol::ids::{InvalidName, JobId, JobKey, QueueName, TaskName};
use wasmhost_protocol::json::Json;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::timestamp::Timestamp;

use crate::client::Client;
use crate::job::Handle;
use crate::submit::SubmitError;

/// A job to be submitted.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The task.
    pub task: TaskName,
    /// The id; a new one where there is none.
    pub id: Option<JobId>,
    /// The queue.
    pub queue: QueueName,
    /// What the message's headers say. `revision`, `args_digest` and `submitted_at` are filled in when it is submitted.
    pub options: JobOptions,
    /// The arguments as JSON text; empty: none.
    pub arguments: Bytes,
    /// What it is checked against before anything is written.
    pub checked: Checked,
}

/// What a submission is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checked {
    /// What the registry says of the module: its tasks, and what they take.
    #[default]
    ByRegistry,
    /// Nothing: the module may be pushed later, and the host says what it thinks of the job.
    Later,
}

impl Submission {
    /// A job of `task`, a `module.function`, with these arguments, on the default queue.
    pub fn new(task: &str, arguments: &impl Serialize) -> Result<Self, SubmitError> {
        Ok(Self { arguments: to_json(arguments)?, ..Self::of(TaskName::parse(task)?) })
    }

    /// A job of `task` without arguments, on the default queue.
    #[must_use]
    pub fn of(task: TaskName) -> Self {
        let (queue, options) = (QueueName::default_queue(), JobOptions::default());
        Self { task, id: None, queue, options, arguments: Bytes::new(), checked: Checked::default() }
    }

    /// Its key: with its own id, or a new one.
    pub(crate) fn key(&self) -> JobKey {
        let id = self.id.clone().unwrap_or_else(new_id);
        JobKey::new(self.task.clone(), id)
    }

    /// When it is queued, where that is later than `now`.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let after = self.options.delay.map(|delay| now.plus(delay));
        self.options.at.or(after).filter(|at| *at > now)
    }

    /// What can be known to be wrong before anything is written.
    pub(crate) fn check(&self) -> Result<(), SubmitError> {
        let bytes = self.arguments.len();
        if bytes > Limits::ARGUMENT_BYTES {
            return Err(SubmitError::TooLarge { bytes, limit: Limits::ARGUMENT_BYTES });
        }
        let (due, latest) = (self.due(now()), schedules::latest());
        if let Some(at) = due.filter(|at| *at > latest) {
            return Err(SubmitError::TooFar { at, latest });
        }
        self.check_options()?;
        let text = self.arguments.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.arguments).trim_ascii();
        if text.is_empty() {
            return Ok(());
        }
        Json::check(text).map_err(|source| SubmitError::NotJson { source })
    }

    /// Options that would make the message a bad job.
    fn check_options(&self) -> Result<(), BadHeader> {
        let pairs = self.options.to_pairs();
        JobOptions::parse(pairs.iter().map(|(name, value)| (*name, value.as_str())), HeaderScope::Submit)
            .map(drop)
    }
}

fn new_id() -> JobId {
    JobId::parse(&Uuid::now_v7().to_string()).expect("a UUID is 36 of 0-9, a-f and `-`")
}

fn to_json(arguments: &impl Serialize) -> Result<Bytes, SubmitError> {
    let text =
        serde_json::to_vec(arguments).map_err(|error| SubmitError::NotJson { source: error.into() })?;
    Ok(text.into())
}

/// A submission under construction. The first thing that is wrong with it is the error of `submit`.
#[must_use = "nothing happens until it is submitted"]
pub struct SubmissionBuilder {
    client: Client,
    draft: Result<Submission, InvalidName>,
}

impl SubmissionBuilder {
    pub(crate) fn new(client: Client, task: &str) -> Self {
        Self { client, draft: TaskName::parse(task).map(Submission::of) }
    }

    fn change(mut self, change: impl FnOnce(&mut Submission) -> Result<(), InvalidName>) -> Self {
        self.draft = self.draft.and_then(|mut draft| change(&mut draft).map(|()| draft));
        self
    }

    fn option(self, change: impl FnOnce(&mut JobOptions)) -> Self {
        self.change(|draft| {
            change(&mut draft.options);
            Ok(())
        })
    }

    /// Its id; the same id with the same arguments is the same job until its record expires.
    pub fn id(self, id: &str) -> Self {
        self.change(|draft| JobId::parse(id).map(|id| draft.id = Some(id)))
    }

    /// The queue that it waits in; `default` where none is named.
    pub fn queue(self, queue: &str) -> Self {
        self.change(|draft| QueueName::parse(queue).map(|queue| draft.queue = queue))
    }

    /// It is queued after this much time from now, and waits as a schedule of the server's until then.
    pub fn delay(self, delay: Duration) -> Self {
        self.option(|options| options.delay = Some(delay))
    }

    /// It is queued at this time, and waits as a schedule of the server's until then; at once where that is past. Not
    /// beside [`Self::delay`].
    pub fn at(self, at: Timestamp) -> Self {
        self.option(|options| options.at = Some(at))
    }

    /// Nobody looks into the registry for it: its module may be pushed later.
    pub fn unchecked(self) -> Self {
        self.change(|draft| {
            draft.checked = Checked::Later;
            Ok(())
        })
    }

    /// The job that submits this one.
    pub fn parent(self, parent: &JobKey) -> Self {
        self.option(|options| options.parent = Some(parent.clone()))
    }

    /// After this time an attempt is stopped.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.option(|options| options.timeout = Some(timeout))
    }

    /// Attempts in all.
    pub fn max_attempts(self, attempts: u32) -> Self {
        self.option(|options| options.max_attempts = Some(attempts))
    }

    /// After this time no attempt starts.
    pub fn expires(self, at: Timestamp) -> Self {
        self.option(|options| options.expires_at = Some(at))
    }

    /// After this much time from now no attempt starts.
    pub fn expires_in(self, after: Duration) -> Self {
        self.expires(now().plus(after))
    }

    /// How long the terminal record is kept; zero drops the result.
    pub fn result_ttl(self, ttl: Duration) -> Self {
        self.option(|options| options.result_ttl = Some(ttl))
    }

    /// The version of the module to run; else the one that is current at the first claim.
    pub fn digest(self, digest: Digest) -> Self {
        self.option(|options| options.digest = Some(digest))
    }

    /// W3C trace context that travels with the job.
    pub fn traceparent(self, traceparent: impl Into<String>) -> Self {
        self.option(|options| options.traceparent = Some(traceparent.into()))
    }

    /// Submits it with these arguments: an object by parameter name, or an array by position.
    pub async fn submit(self, arguments: &impl Serialize) -> Result<Handle, SubmitError> {
        let arguments = to_json(arguments)?;
        self.submit_json(arguments).await
    }

    /// Submits it with arguments that are JSON text already.
    pub async fn submit_json(self, arguments: impl Into<Bytes>) -> Result<Handle, SubmitError> {
        let submission = Submission { arguments: arguments.into(), ..self.draft? };
        Ok(self.client.submit(submission).await?.job)
    }
}
