//! What one attempt produced. A guest's failure is a value here, never an `Err` of the host.

use std::time::Duration;

use crate::json::Json;
use crate::record::{ErrorKind, JobError, Usage};

/// What one attempt produced, and what it used.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// What it used.
    pub usage: Usage,
    /// Powers that the guest asked for and was denied, the first ten: `http GET http://10.0.0.1/`.
    pub denied: Vec<String>,
    /// The last lines that the guest wrote to standard error, whatever the verdict.
    pub stderr: Option<String>,
}

impl Outcome {
    /// An outcome of an attempt that never ran.
    #[must_use]
    pub fn without_run(verdict: Verdict) -> Self {
        Self { verdict, usage: Usage::default(), denied: Vec::new(), stderr: None }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The function returned, or its outermost result was ok.
    Returned(Json),
    /// The task returned an error; the retry policy decides.
    Failed {
        /// One sentence for people.
        message: String,
        /// What the task said beside it.
        details: Option<Json>,
    },
    /// The task asked to be tried again.
    RetryAsked {
        /// One sentence for people.
        message: String,
        /// What the task said beside it.
        details: Option<Json>,
        /// The delay that it asked for.
        after: Option<Duration>,
    },
    /// The task returned an error that must not be tried again.
    Permanent {
        /// One sentence for people.
        message: String,
        /// What the task said beside it.
        details: Option<Json>,
    },
    /// The arguments do not fit; the text starts with the path.
    BadArguments(String),
    /// The module exports no such task; the text says what it exports.
    UnknownFunction(String),
    /// No such module, or no such version of it.
    UnknownModule(String),
    /// The bytes are no component that can run here; the text says why.
    BadModule(String),
    /// The guest panicked.
    Panicked(Fault),
    /// The guest trapped.
    Trapped(Fault),
    /// The guest left through `exit`, with success or without.
    Exited(Fault),
    /// The guest hit a limit.
    Exceeded(Limit, Fault),
    /// The attempt was stopped on request: a revoke, a drain or a lost lease.
    Cancelled,
    /// The module could not be fetched or loaded for the moment: the host's fault, not the job's.
    ModuleUnavailable(String),
    /// The host itself failed.
    HostBug(String),
}

impl Verdict {
    /// The result, or the error that the verdict amounts to. Texts are those of the guest, uncut.
    pub fn result(&self) -> Result<&Json, JobError> {
        Err(match self {
            Self::Returned(result) => return Ok(result),
            Self::Failed { message, details } | Self::RetryAsked { message, details, .. } => {
                said(ErrorKind::Failed, message, details.as_ref())
            }
            Self::Permanent { message, details } => said(ErrorKind::Permanent, message, details.as_ref()),
            Self::BadArguments(message) => JobError::new(ErrorKind::BadArguments, message),
            Self::UnknownFunction(message) => JobError::new(ErrorKind::UnknownFunction, message),
            Self::UnknownModule(message) => JobError::new(ErrorKind::UnknownModule, message),
            Self::BadModule(message) => JobError::new(ErrorKind::BadModule, message),
            Self::Panicked(fault) => broken(ErrorKind::Panicked, fault),
            Self::Trapped(fault) => broken(ErrorKind::Trapped, fault),
            Self::Exited(fault) => broken(ErrorKind::Exited, fault),
            Self::Exceeded(limit, fault) => broken(limit.error_kind(), fault),
            // A revoke or a drain is recorded as such. Without one, nobody had a reason to stop the attempt.
            Self::Cancelled => JobError::new(ErrorKind::HostBug, "stopped without a revoke or a drain"),
            Self::ModuleUnavailable(message) => JobError::new(ErrorKind::ModuleUnavailable, message),
            Self::HostBug(message) => JobError::new(ErrorKind::HostBug, message),
        })
    }
}

fn said(kind: ErrorKind, message: &str, details: Option<&Json>) -> JobError {
    JobError { details: details.cloned(), ..JobError::new(kind, message) }
}

fn broken(kind: ErrorKind, fault: &Fault) -> JobError {
    JobError { backtrace: fault.backtrace.clone(), ..JobError::new(kind, &*fault.message) }
}

/// A limit that a guest can hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Linear memory, summed over all memories of the store.
    Memory,
    /// CPU time.
    Cpu,
    /// Wall time.
    Wall,
    /// Fuel.
    Fuel,
    /// Table elements.
    Tables,
    /// Core instances, memories or handles.
    Instances,
    /// Size of the result.
    Result,
}

impl Limit {
    /// The kind of failure of an attempt that hit the limit.
    #[must_use]
    pub fn error_kind(self) -> ErrorKind {
        match self {
            Self::Memory => ErrorKind::OutOfMemory,
            Self::Cpu => ErrorKind::CpuLimit,
            Self::Wall => ErrorKind::TimedOut,
            Self::Fuel => ErrorKind::OutOfFuel,
            Self::Tables | Self::Instances | Self::Result => ErrorKind::LimitExceeded,
        }
    }
}

/// What is known of a guest that broke.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// One sentence: the guest's own last words, the trap, the limit and its value.
    pub message: String,
    /// Demangled frames, one a line, innermost first.
    pub backtrace: Option<String>,
}
