//! The exit codes: a closed list that scripts may rely on. From 64 on they are those of sysexits(3).

use std::io::{Error, ErrorKind};
use std::process::ExitCode;

use wasmhost_protocol::record::{End, JobState, Record};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command did what it was asked to.
    Ok,
    /// The job failed or was revoked, or an audit found a broken promise.
    Failed,
    /// A flag is wrong, or arguments were refused.
    Usage,
    /// A file is not what it should be.
    BadFile,
    /// There is no such file, job, module or task.
    NotFound,
    /// NATS cannot be reached.
    Unreachable,
    /// Something is full, in use or not ready yet.
    TryLater,
    /// A permission is missing.
    Denied,
    /// The configuration, ours or the server's, does not fit.
    Config,
    /// Ctrl-C, or a second signal, ended the command.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::BadFile => 65,
            Self::NotFound => 66,
            Self::Unreachable => 69,
            Self::TryLater => 75,
            Self::Denied => 77,
            Self::Config => 78,
            Self::Interrupted => 130,
        }
    }

    /// The exit code for a job with this record.
    pub(crate) fn of_record(record: &Record) -> Self {
        match &record.state {
            JobState::Ended { end: End::Failure(_) | End::Revoked, .. } => Self::Failed,
            JobState::Ended { end: End::Success(_), .. }
            | JobState::Pending { .. }
            | JobState::Running(_)
            | JobState::Retry { .. } => Self::Ok,
        }
    }

    /// The exit code for a file that cannot be read.
    pub(crate) fn of_file(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::BadFile,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
