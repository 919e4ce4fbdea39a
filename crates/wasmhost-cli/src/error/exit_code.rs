//! The exit codes, a closed list that scripts may rely on.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Ok,
    /// The job failed or was revoked.
    JobFailed,
    /// A wrong flag, or arguments that were refused.
    Usage,
    /// A file that is not what it should be.
    BadFile,
    /// No such file, job, module or task.
    NotFound,
    /// NATS cannot be reached.
    Unreachable,
    /// Full: try later.
    Full,
    /// No permission.
    Denied,
    /// The configuration, ours or the server's, does not fit.
    Config,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::JobFailed => 1,
            Self::Usage => 2,
            Self::BadFile => 65,
            Self::NotFound => 66,
            Self::Unreachable => 69,
            Self::Full => 75,
            Self::Denied => 77,
            Self::Config => 78,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
