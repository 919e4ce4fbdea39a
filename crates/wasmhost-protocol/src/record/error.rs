//! Why a job failed, as its record says it.

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// The closed list of `error.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The task returned an error.
    Failed,
    /// The task returned an error that must not be tried again.
    Permanent,
    /// The arguments do not fit the function; it was not run.
    BadArguments,
    /// The message cannot be read as a job.
    BadJob,
    /// No module of this name, or it has no such version.
    UnknownModule,
    /// The module exports no such function, or not as a task.
    UnknownFunction,
    /// The module's bytes are no component that this host can run.
    BadModule,
    /// The guest panicked.
    Panicked,
    /// The guest trapped.
    Trapped,
    /// The guest left through `exit`.
    Exited,
    /// The guest ended because memory was refused.
    OutOfMemory,
    /// The guest used more CPU time than it may.
    CpuLimit,
    /// The attempt took longer than it may.
    TimedOut,
    /// The guest used more fuel than it may.
    OutOfFuel,
    /// Another limit; the message names it.
    LimitExceeded,
    /// The host could not fetch the module.
    ModuleUnavailable,
    /// The host itself failed.
    HostBug,
    /// Too many attempts ended without any outcome: their hosts died or were cut off.
    WorkerLost,
    /// The message was delivered too often without a claim.
    Poison,
    /// The job's message is gone.
    Lost,
    /// The job was recorded, but its message never came.
    NotPublished,
    /// No attempt is left.
    Exhausted,
}

impl ErrorKind {
    /// The word in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "Failed",
            Self::Permanent => "Permanent",
            Self::BadArguments => "BadArguments",
            Self::BadJob => "BadJob",
            Self::UnknownModule => "UnknownModule",
            Self::UnknownFunction => "UnknownFunction",
            Self::BadModule => "BadModule",
            Self::Panicked => "Panicked",
            Self::Trapped => "Trapped",
            Self::Exited => "Exited",
            Self::OutOfMemory => "OutOfMemory",
            Self::CpuLimit => "CpuLimit",
            Self::TimedOut => "TimedOut",
            Self::OutOfFuel => "OutOfFuel",
            Self::LimitExceeded => "LimitExceeded",
            Self::ModuleUnavailable => "ModuleUnavailable",
            Self::HostBug => "HostBug",
            Self::WorkerLost => "WorkerLost",
            Self::Poison => "Poison",
            Self::Lost => "Lost",
            Self::NotPublished => "NotPublished",
            Self::Exhausted => "Exhausted",
        }
    }
}

/// `error` of a FAILURE record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// One sentence for people; at most 4 KiB.
    pub message: String,
    /// What the task said beside it; at most 8 KiB.
    pub details: Option<Json>,
    /// The guest's stack, innermost first; at most 4 KiB.
    pub backtrace: Option<String>,
    /// The last lines that the guest wrote to standard error; at most 4 KiB.
    pub stderr: Option<String>,
    /// Whether another attempt could have been made by the job's retry policy.
    pub retryable: bool,
}

impl JobError {
    /// An error of `kind` that says `message`, with nothing beside it.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: None, backtrace: None, stderr: None, retryable: false }
    }
}
