//! The reason for which a job failed, as its record states it.

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// An `ErrorKind` is what kind of failure ended a job. The list is closed; the record has the word in
/// `error.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The task returned an error.
    Failed,
    /// The task returned an error that must not be tried again.
    Permanent,
    /// The arguments do not fit the function, which did not run.
    BadArguments,
    /// The message cannot be read as a job, or asks for more than it may.
    BadJob,
    /// There is no module of this name, or no such version of it.
    UnknownModule,
    /// The module exports no such function, or the function cannot be a task.
    UnknownFunction,
    /// The module's bytes are not a component that the host can run.
    BadModule,
    /// The guest panicked.
    Panicked,
    /// The guest trapped.
    Trapped,
    /// The guest called `exit`.
    Exited,
    /// The guest ended because it was refused more memory.
    OutOfMemory,
    /// The guest used more processor time than it may.
    CpuLimit,
    /// The attempt took longer than it may.
    TimedOut,
    /// The guest used more fuel than it may.
    OutOfFuel,
    /// The attempt exceeded another limit, which the message names.
    LimitExceeded,
    /// The host could not fetch or load the module.
    ModuleUnavailable,
    /// The host itself failed.
    HostBug,
    /// Too many claims ended without any outcome, because their hosts died or were cut off.
    WorkerLost,
    /// The message was delivered too often without a claim.
    Poison,
    /// The job was claimed, and its message is gone.
    Lost,
    /// The job was recorded and never claimed, and its message is gone or never came.
    NotPublished,
    /// No attempt is left.
    Exhausted,
}

// serde would write the same words. They are spelt out, because they are in records, headers of dead letters
// and logs.
impl ErrorKind {
    /// Returns the word that records have.
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

/// A `JobError` is the field `error` of a FAILURE record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// The kind of failure.
    pub kind: ErrorKind,
    /// One sentence for people, at most 4 KiB.
    pub message: String,
    /// The details that the task gave with its error, at most 8 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Json>,
    /// The guest's frames, one a line, innermost first, at most 4 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backtrace: Option<String>,
    /// The last lines that the guest wrote to standard error, at most 4 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    /// Whether the job's retry policy allowed more than one attempt of this kind of failure.
    pub retryable: bool,
}

impl JobError {
    /// Builds an error of a kind with a message, without details, backtrace and standard error.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: None, backtrace: None, stderr: None, retryable: false }
    }
}
