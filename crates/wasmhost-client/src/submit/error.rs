//! Why a job was not accepted.

use wasmhost_nats::WriteError;
use wasmhost_protocol::headers::BadHeader;
use wasmhost_protocol::ids::{InvalidName, JobKey, ModuleName, QueueName, TaskName};
use wasmhost_protocol::json::InvalidJson;
use wasmhost_protocol::manifest::UnknownTask;
use wasmhost_protocol::timestamp::Timestamp;

use super::Submitting;

/// Why a job was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// A name or an id is not one.
    #[error(transparent)]
    Refused(#[from] InvalidName),
    /// An option has a value that no job may have.
    #[error("option refused: {0}")]
    Option(#[from] BadHeader),
    /// The arguments are not JSON, nested too deeply, or have a name twice.
    #[error("{}; pass an object by parameter name or an array by position", source.of("the arguments are"))]
    NotJson {
        /// Where and why.
        source: InvalidJson,
    },
    /// The registry has no such module.
    #[error(
        "no module `{module}` is in the registry; push it: `wasmhost module push FILE --name {module}`, or submit unchecked"
    )]
    UnknownModule {
        /// The module.
        module: ModuleName,
    },
    /// The module has no such task.
    #[error("task {task}: {unknown}")]
    UnknownTask {
        /// The task.
        task: TaskName,
        /// What the module has.
        unknown: UnknownTask,
    },
    /// The task cannot be called with these arguments.
    #[error("task {task}: {why}")]
    BadArguments {
        /// The task.
        task: TaskName,
        /// What of them, and where.
        why: String,
    },
    /// The arguments are too large.
    #[error("arguments of {bytes} bytes are more than {limit}; pass a reference to the data instead")]
    TooLarge {
        /// Their size as JSON text.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The server takes no message of this size.
    #[error("job {key} is larger than the server takes: {why}")]
    OverServerLimit {
        /// The job.
        key: JobKey,
        /// What of it.
        why: &'static str,
    },
    /// The job is to wait for longer than the server can count.
    #[error("a job for {at} is refused: the server can schedule none for later than {latest}")]
    TooFar {
        /// When it was to be queued.
        at: Timestamp,
        /// The latest time that there is.
        latest: Timestamp,
    },
    /// The id belongs to a job with other arguments.
    #[error("job {key} stands already, with other arguments; choose another id")]
    Conflict {
        /// The job.
        key: JobKey,
    },
    /// The id belongs to a job whose submitter died before it published it.
    #[error("job {key} was recorded but never published; its id is free again at {free_at}")]
    NotPublished {
        /// The job.
        key: JobKey,
        /// When the id is free again.
        free_at: Timestamp,
    },
    /// What stands under the key is no record that this client reads.
    #[error("record of job {key} cannot be read: {why}")]
    Unreadable {
        /// The job.
        key: JobKey,
        /// What is wrong with it.
        why: String,
    },
    /// A message of an earlier job with this id is still queued.
    #[error("message of an earlier job {key} is still queued; try again when a host has dropped it")]
    Occupied {
        /// The job.
        key: JobKey,
    },
    /// The stream or the bucket takes no more.
    #[error("queue {queue} takes no more: {why}; try later")]
    QueueFull {
        /// The queue.
        queue: QueueName,
        /// What the server says.
        why: String,
    },
    /// The server does not let this user submit.
    #[error("submitting job {key} is not permitted: {why}")]
    Denied {
        /// The job.
        key: JobKey,
        /// The subject and the permission that is missing.
        why: String,
    },
    /// JetStream is off, or the streams were never made.
    #[error("submitting job {key}: {why}; streams and buckets are made by the first `wasmhost serve`")]
    NotSetUp {
        /// The job.
        key: JobKey,
        /// What the server says.
        why: String,
    },
    /// The server did not answer; whether the job is queued is not known.
    #[error("job {key} is not known to be queued: {why}; submit it again with the same id")]
    Unreachable {
        /// The job.
        key: JobKey,
        /// What stayed without an answer.
        why: String,
    },
}

impl Submitting<'_> {
    pub(super) fn unreachable(&self, why: impl Into<String>) -> SubmitError {
        SubmitError::Unreachable { key: self.key.clone(), why: why.into() }
    }

    pub(super) fn full(&self, why: String) -> SubmitError {
        SubmitError::QueueFull { queue: self.submission.queue.clone(), why }
    }

    pub(super) fn refused_write(&self, error: WriteError) -> SubmitError {
        let key = self.key.clone();
        match error {
            WriteError::Full { text, .. } => self.full(text),
            WriteError::Denied { text, .. } => SubmitError::Denied { key, why: text },
            WriteError::NotSetUp { text, .. } => SubmitError::NotSetUp { key, why: text },
            WriteError::TooLarge(_) => SubmitError::OverServerLimit { key, why: "its record" },
            error => self.unreachable(error.to_string()),
        }
    }
}
