//! The options of a job, as its headers give them.

use std::time::Duration;

use crate::digest::Digest;
use crate::ids::{Inbox, JobKey, QueueName};
use crate::timestamp::Timestamp;

/// `JobOptions` are what the headers of a job say. Every option is optional. Build them with
/// `..JobOptions::default()`, since later versions may add options.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobOptions {
    /// The revision of the PENDING record; at least 1.
    pub revision: Option<u64>,
    /// The version of the module to run, where the job does not run the version that is current at its first
    /// claim.
    pub digest: Option<Digest>,
    /// The attempts in all, within [`crate::bounds::MAX_ATTEMPTS`].
    pub max_attempts: Option<u32>,
    /// The wall time after which an attempt is stopped, within [`crate::bounds::ATTEMPT`].
    pub timeout: Option<Duration>,
    /// The time after which no attempt starts, within [`crate::bounds::TIME`].
    pub expires_at: Option<Timestamp>,
    /// How long the terminal record is kept, within [`crate::bounds::RESULT_TTL`]. Zero drops the result, and
    /// the record is kept as long as the policy says.
    pub result_ttl: Option<Duration>,
    /// The job that this one came from; information only.
    pub parent: Option<JobKey>,
    /// The digest of the arguments as the PENDING record has it: that of their canonical form. The digest of
    /// the exact text is accepted as well.
    pub args_digest: Option<Digest>,
    /// The time at which the job was submitted, as the PENDING record has it, within [`crate::bounds::TIME`].
    pub submitted_at: Option<Timestamp>,
    /// The inbox that is told the end of the job.
    pub notify: Option<Inbox>,
    /// The W3C trace context, which is carried along.
    pub traceparent: Option<String>,
    /// The queue, where it is not `default`; only in a request to the submit service.
    pub queue: Option<QueueName>,
    /// How long to wait before the job is queued; only in a request to the submit service, and not together
    /// with `at`.
    pub delay: Option<Duration>,
    /// The time at which the job is queued, within [`crate::bounds::TIME`]; only in a request to the submit
    /// service, and not together with `delay`.
    pub at: Option<Timestamp>,
}

/// A `HeaderScope` is where a message with headers arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderScope {
    /// The message is in the job stream or the schedule stream.
    Job,
    /// The message is a request to the submit service, which reads `Wasmhost-Queue`, `-Delay` and `-At` as
    /// well.
    Submit,
}
