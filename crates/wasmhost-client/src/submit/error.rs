//! Why a job was not accepted.

use wasmhost_nats::ReadError;
use wasmhost_protocol::headers::BadHeader;
use wasmhost_protocol::ids::{InvalidName, JobKey, ModuleName, QueueName, TaskName};
use wasmhost_protocol::json::InvalidJson;
use wasmhost_protocol::manifest::UnknownTask;
use wasmhost_protocol::timestamp::Timestamp;

/// Why a job was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// A text that should name a task, a queue or an id is none.
    #[error(transparent)]
    Refused(#[from] InvalidName),
    /// An option has a value that no job may have.
    #[error("option refused: {0}")]
    Option(#[from] BadHeader),
    /// The arguments are not JSON, are nested too deeply, or have a name twice.
    #[error("{}; pass an object by parameter name or an array by position", source.about("the arguments are"))]
    NotJson {
        /// What is wrong with them, and where.
        source: InvalidJson,
    },
    /// The registry has no such module.
    #[error(
        "no module `{module}` is in the registry; push it: `wasmhost module push FILE --name {module}`, or submit unchecked"
    )]
    UnknownModule {
        /// The module that the job names.
        module: ModuleName,
    },
    /// The module has no such task.
    #[error("task {task}: {unknown}")]
    UnknownTask {
        /// The task that the job names.
        task: TaskName,
        /// Which tasks the module has.
        unknown: UnknownTask,
    },
    /// The task cannot be called with these arguments.
    #[error("task {task}: {why}")]
    BadArguments {
        /// The task that the job names.
        task: TaskName,
        /// What is wrong with them, and where.
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
        /// The key of the job.
        key: JobKey,
        /// Which part of the job is too large.
        why: &'static str,
    },
    /// The job is to wait for longer than the server can count.
    #[error("a job for {at} is refused: the server can schedule none for later than {latest}")]
    TooFar {
        /// When it was to be queued.
        at: Timestamp,
        /// The latest time that the server can schedule for.
        latest: Timestamp,
    },
    /// The id belongs to a job with other arguments.
    #[error("job {key} stands already, with other arguments; choose another id")]
    Conflict {
        /// The key of the job.
        key: JobKey,
    },
    /// The id belongs to a job whose submitter died before it published it.
    #[error("job {key} was recorded but never published; its id is free again at {free_at}")]
    NotPublished {
        /// The key of the job.
        key: JobKey,
        /// When the id is free again.
        free_at: Timestamp,
    },
    /// This client cannot read the record that stands under the key.
    #[error("record of job {key} cannot be read: {why}")]
    Unreadable {
        /// The key of the job.
        key: JobKey,
        /// What is wrong with the record.
        why: String,
    },
    /// A message of an earlier job with this id is still queued.
    #[error("message of an earlier job {key} is still queued; try again when a host has dropped it")]
    Occupied {
        /// The key of the job.
        key: JobKey,
    },
    /// The stream or the bucket has no room.
    #[error("queue {queue} takes no more: {why}; try later")]
    QueueFull {
        /// The queue of the job.
        queue: QueueName,
        /// What the server says.
        why: String,
    },
    /// The server does not let this user submit.
    #[error("submitting job {key} is not permitted: {why}")]
    Denied {
        /// The key of the job.
        key: JobKey,
        /// The subject and the permission that is missing.
        why: String,
    },
    /// JetStream is off, or its streams and buckets were never made.
    #[error("submitting job {key}: {why}; streams and buckets are made by the first `wasmhost serve`")]
    NotSetUp {
        /// The key of the job.
        key: JobKey,
        /// What the server says.
        why: String,
    },
    /// The server does not answer for its streams, and nothing was written. Only
    /// [`Client::try_submit`](crate::Client::try_submit) says so.
    #[error("submitting job {key}: the server does not answer, and nothing was written")]
    NoAnswer {
        /// The key of the job.
        key: JobKey,
        /// Why there was no answer.
        source: ReadError,
    },
    /// The server did not answer in time. Whether the job is queued is not known.
    #[error("job {key} is not known to be queued: {why}; submit it again with the same id")]
    Unreachable {
        /// The key of the job.
        key: JobKey,
        /// Which request had no answer.
        why: String,
    },
}
