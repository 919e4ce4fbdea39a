//! A submission under construction, for programs that name task, id and queue as texts.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use wasmhost_nats::now;
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::{InvalidName, JobId, JobKey, QueueName, TaskName};
use wasmhost_protocol::timestamp::Timestamp;

use crate::client::Client;
use crate::job::JobHandle;
use crate::submission::{RegistryCheck, Submission, to_json};
use crate::submit::error::SubmitError;

/// A submission under construction. The first thing that is wrong with it is the error of [`Self::submit`].
#[must_use = "nothing happens until it is submitted"]
pub struct SubmissionBuilder {
    client: Client,
    draft: Result<Submission, InvalidName>,
}

impl Client {
    /// Starts a submission of the task `module.function`. What is wrong with it is the error of
    /// [`SubmissionBuilder::submit`].
    pub fn task(&self, task: &str) -> SubmissionBuilder {
        SubmissionBuilder { client: self.clone(), draft: TaskName::parse(task).map(Submission::for_task) }
    }
}

impl SubmissionBuilder {
    /// Sets the job's id. The same id with the same arguments is the same job until its record expires.
    pub fn id(self, id: &str) -> Self {
        self.try_change(|draft| JobId::parse(id).map(|id| draft.id = Some(id)))
    }

    /// Sets the queue in which the job waits; it is `default` where none is named.
    pub fn queue(self, queue: &str) -> Self {
        self.try_change(|draft| QueueName::parse(queue).map(|queue| draft.queue = queue))
    }

    /// Queues the job after this much time from now. Until then it waits as a schedule of the server.
    pub fn delay(self, delay: Duration) -> Self {
        self.option(|options| options.delay = Some(delay))
    }

    /// Queues the job at this time, or at once where that is past. Until then it waits as a schedule of the server. It
    /// cannot be combined with [`Self::delay`].
    pub fn at(self, at: Timestamp) -> Self {
        self.option(|options| options.at = Some(at))
    }

    /// Submits without asking the registry, for a module that may be pushed later.
    pub fn unchecked(self) -> Self {
        self.change(|draft| draft.registry_check = RegistryCheck::Skipped)
    }

    /// Submits without being told the end, for a job that nobody waits for through this client.
    pub fn detached(self) -> Self {
        self.change(|draft| draft.tell_end = false)
    }

    /// Names the job that submits this one.
    pub fn parent(self, parent: &JobKey) -> Self {
        self.option(|options| options.parent = Some(parent.clone()))
    }

    /// Stops an attempt after this time.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.option(|options| options.timeout = Some(timeout))
    }

    /// Sets how many attempts there are at most, the first included.
    pub fn max_attempts(self, attempts: u32) -> Self {
        self.option(|options| options.max_attempts = Some(attempts))
    }

    /// Starts no attempt after this time.
    pub fn expires(self, at: Timestamp) -> Self {
        self.option(|options| options.expires_at = Some(at))
    }

    /// Starts no attempt after this much time from now.
    pub fn expires_in(self, after: Duration) -> Self {
        self.expires(now().plus(after))
    }

    /// Sets how long the terminal record is kept. Zero drops the result.
    pub fn result_ttl(self, ttl: Duration) -> Self {
        self.option(|options| options.result_ttl = Some(ttl))
    }

    /// Sets the version of the module to run; otherwise it is the one that is current at the first claim.
    pub fn digest(self, digest: Digest) -> Self {
        self.option(|options| options.digest = Some(digest))
    }

    /// Sends a W3C trace context with the job.
    pub fn traceparent(self, traceparent: impl Into<String>) -> Self {
        self.option(|options| options.traceparent = Some(traceparent.into()))
    }

    /// Submits the job with these arguments: an object by parameter name, or an array by position.
    ///
    /// # Errors
    ///
    /// As [`Client::submit`], and where a name or an id that was given is none.
    pub async fn submit(self, arguments: &impl Serialize) -> Result<JobHandle, SubmitError> {
        let arguments = to_json(arguments)?;
        self.submit_json(arguments).await
    }

    /// Submits the job with arguments that are JSON text already.
    ///
    /// # Errors
    ///
    /// As [`Self::submit`].
    pub async fn submit_json(self, arguments: impl Into<Bytes>) -> Result<JobHandle, SubmitError> {
        // Only now, since a chain of methods could not be interrupted by an error.
        let mut submission = self.draft?;
        submission.arguments = arguments.into();
        Ok(self.client.submit(submission).await?.job)
    }

    fn option(self, change: impl FnOnce(&mut JobOptions)) -> Self {
        self.change(|draft| change(&mut draft.options))
    }

    fn change(self, change: impl FnOnce(&mut Submission)) -> Self {
        self.try_change(|draft| {
            change(draft);
            Ok(())
        })
    }

    /// Changes the draft. After a name that is none, nothing else is tried: the first error counts.
    fn try_change(mut self, change: impl FnOnce(&mut Submission) -> Result<(), InvalidName>) -> Self {
        self.draft = self.draft.and_then(|mut draft| change(&mut draft).map(|()| draft));
        self
    }
}
