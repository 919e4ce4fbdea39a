//! Why a job was not revoked.

use wasmhost_nats::WriteError;
use wasmhost_protocol::bounds::OutOfBounds;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::Record;

use crate::job::StatusError;

/// Why a job was not revoked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// A running task may not be given so long to stop.
    #[error("revoking with a grace refused: {0}")]
    Grace(#[from] OutOfBounds),
    /// There is no such job, or its record has expired.
    #[error("job {key} is not found; it never was, or its record has expired")]
    NotFound {
        /// The key of the job.
        key: JobKey,
    },
    /// The job runs, and was to be revoked only if it was queued.
    #[error("job {key} is already running; revoke it without `if_queued`")]
    AlreadyRunning {
        /// The key of the job.
        key: JobKey,
    },
    /// The job has ended otherwise.
    #[error("too late: job {} is {}", record.key(), record.label())]
    TooLate {
        /// The terminal record.
        record: Box<Record>,
    },
    /// The record could not be read.
    #[error(transparent)]
    Status(StatusError),
    /// The record could not be written.
    #[error("revoking job {key}")]
    Write {
        /// The key of the job.
        key: JobKey,
        /// Why the record was not written.
        source: WriteError,
    },
}

impl From<StatusError> for RevokeError {
    fn from(error: StatusError) -> Self {
        match error {
            StatusError::NotFound { key } => Self::NotFound { key },
            error @ (StatusError::Unreadable { .. }
            | StatusError::Unreachable { .. }
            | StatusError::Subscribe { .. }) => Self::Status(error),
        }
    }
}
