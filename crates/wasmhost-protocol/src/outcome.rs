//! The outcome of one attempt. A guest's failure is a value here; an `Err` in the host means that the host
//! itself failed.

use std::time::Duration;

use crate::json::Json;
use crate::record::{ErrorKind, JobError, Usage};

/// An `Outcome` is what one attempt produced and used.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How the attempt ended.
    pub verdict: Verdict,
    /// What the attempt used.
    pub usage: Usage,
    /// The first ten powers that the guest asked for and was denied, such as `http GET http://10.0.0.1/`.
    pub denied: Vec<String>,
    /// The last lines that the guest wrote to standard error, whatever the verdict is.
    pub stderr: Option<String>,
}

impl Outcome {
    /// Builds the outcome of an attempt whose guest never ran: it used nothing and was denied nothing.
    #[must_use]
    pub fn without_run(verdict: Verdict) -> Self {
        Self { verdict, usage: Usage::default(), denied: Vec::new(), stderr: None }
    }
}

/// A `Verdict` is how an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The function returned a value, or `ok` where its outermost type is a result.
    Returned(Json),
    /// The task returned an error; the retry policy decides whether it is tried again.
    Failed {
        /// One sentence for people.
        message: String,
        /// The details that the task gave with its error.
        details: Option<Json>,
    },
    /// The task asked for a retry.
    RetryAsked {
        /// One sentence for people.
        message: String,
        /// The details that the task gave with its request.
        details: Option<Json>,
        /// The delay that the task asked for.
        after: Option<Duration>,
    },
    /// The task returned an error that must not be tried again.
    Permanent {
        /// One sentence for people.
        message: String,
        /// The details that the task gave with its error.
        details: Option<Json>,
    },
    /// The arguments do not fit the function, which did not run. The text starts with the path of the value.
    BadArguments(String),
    /// The module exports no such task. The text says what it exports.
    UnknownFunction(String),
    /// There is no such module, or no such version of it.
    UnknownModule(String),
    /// The bytes are not a component that can run on this host. The text says why.
    BadModule(String),
    /// The guest panicked.
    Panicked(Fault),
    /// The guest trapped.
    Trapped(Fault),
    /// The guest called `exit`, with or without success.
    Exited(Fault),
    /// The guest exceeded a limit.
    Exceeded(Limit, Fault),
    /// The attempt was stopped by its host, because of a revoke, a drain or a lost lease.
    Cancelled,
    /// The module could not be fetched or loaded at the moment. That is the host's fault, not the job's.
    ModuleUnavailable(String),
    /// The host itself failed.
    HostBug(String),
}

impl Verdict {
    /// Returns the result, or the error that the verdict amounts to. The texts are the guest's own, neither
    /// escaped nor cut.
    pub fn result(&self) -> Result<&Json, JobError> {
        Err(match self {
            Self::Returned(result) => return Ok(result),
            Self::Failed { message, details } | Self::RetryAsked { message, details, .. } => {
                error_with_details(ErrorKind::Failed, message, details.as_ref())
            }
            Self::Permanent { message, details } => {
                error_with_details(ErrorKind::Permanent, message, details.as_ref())
            }
            Self::BadArguments(message) => JobError::new(ErrorKind::BadArguments, message),
            Self::UnknownFunction(message) => JobError::new(ErrorKind::UnknownFunction, message),
            Self::UnknownModule(message) => JobError::new(ErrorKind::UnknownModule, message),
            Self::BadModule(message) => JobError::new(ErrorKind::BadModule, message),
            Self::Panicked(fault) => error_with_backtrace(ErrorKind::Panicked, fault),
            Self::Trapped(fault) => error_with_backtrace(ErrorKind::Trapped, fault),
            Self::Exited(fault) => error_with_backtrace(ErrorKind::Exited, fault),
            Self::Exceeded(limit, fault) => error_with_backtrace(limit.error_kind(), fault),
            // The record of a revoke or a drain says so itself. Without one of them nobody had a reason to
            // stop the attempt.
            Self::Cancelled => JobError::new(ErrorKind::HostBug, "stopped without a revoke or a drain"),
            Self::ModuleUnavailable(message) => JobError::new(ErrorKind::ModuleUnavailable, message),
            Self::HostBug(message) => JobError::new(ErrorKind::HostBug, message),
        })
    }
}

fn error_with_details(kind: ErrorKind, message: &str, details: Option<&Json>) -> JobError {
    JobError { details: details.cloned(), ..JobError::new(kind, message) }
}

fn error_with_backtrace(kind: ErrorKind, fault: &Fault) -> JobError {
    JobError { backtrace: fault.backtrace.clone(), ..JobError::new(kind, &*fault.message) }
}

/// A `Limit` is one of the limits of an attempt that a guest can exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// The linear memory, summed over all memories of the store.
    Memory,
    /// The processor time.
    Cpu,
    /// The wall time.
    Wall,
    /// The engine's fuel.
    Fuel,
    /// The elements of all tables.
    Tables,
    /// The number of core instances, memories or handles.
    Instances,
    /// The size of the result's JSON text.
    Result,
}

impl Limit {
    /// Returns the kind of failure of an attempt that exceeds the limit.
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

/// A `Fault` is what is known of a guest that panicked, trapped, exited or exceeded a limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// One sentence for people: the guest's own last words, or the trap, or the limit and its value.
    pub message: String,
    /// The demangled frames of the guest, one a line, innermost first.
    pub backtrace: Option<String>,
}
