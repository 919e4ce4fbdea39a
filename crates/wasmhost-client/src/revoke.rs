//! Revoking a job, whether it waits or runs, and waiting for its REVOKED record
//! ([R12](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r12)).

pub(crate) mod error;
mod write;

use std::time::Duration;

use wasmhost_protocol::bounds;
use wasmhost_protocol::record::{JobState, Record, StateLabel};

use crate::job::JobHandle;
use error::RevokeError;

/// How a job is to be revoked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RevokeOptions {
    /// Why it is revoked, for people.
    pub reason: String,
    /// How long a running task may take to stop by itself. At zero it is stopped at once.
    pub grace: Duration,
    /// Whether a job that runs is left alone, as Celery does by default.
    pub if_queued: bool,
}

impl RevokeOptions {
    /// Revokes for this reason, and stops a running task at once.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..Self::default() }
    }

    /// Gives a running task this much time to stop by itself.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Leaves a job alone that runs.
    #[must_use]
    pub fn if_queued(self) -> Self {
        Self { if_queued: true, ..self }
    }
}

impl JobHandle {
    /// Revokes the job, running or not, and waits for its REVOKED record.
    ///
    /// # Errors
    ///
    /// As [`Self::revoke_with`].
    pub async fn revoke(&self, reason: impl Into<String>) -> Result<Record, RevokeError> {
        self.revoke_with(RevokeOptions::new(reason)).await
    }

    /// Revokes the job and waits for its REVOKED record, as long as a running task and its host take.
    ///
    /// # Errors
    ///
    /// There is no such job, it has ended otherwise, it runs and was to be revoked only if queued, or its record could not
    /// be read or written.
    pub async fn revoke_with(&self, options: RevokeOptions) -> Result<Record, RevokeError> {
        let mut record = self.request_revoke(options).await?;
        if !record.is_terminal() {
            record = self.terminal().await?;
        }
        match record.label() {
            StateLabel::Revoked => Ok(record),
            StateLabel::Success
            | StateLabel::Failure
            | StateLabel::Pending
            | StateLabel::Started
            | StateLabel::Custom(_)
            | StateLabel::Retry => Err(RevokeError::TooLate { record: Box::new(record) }),
        }
    }

    /// Revokes the job and returns its record as it is then, without waiting for a running task: REVOKED, running with the
    /// request to stop, or as the job had ended before.
    ///
    /// # Errors
    ///
    /// As [`Self::revoke_with`], but a job that has ended is no error.
    pub async fn request_revoke(&self, options: RevokeOptions) -> Result<Record, RevokeError> {
        bounds::GRACE.check(options.grace)?;
        let (mut record, mut revision) = self.read().await?;
        loop {
            let written = match &record.state {
                JobState::Ended { .. } => return Ok(record),
                JobState::Pending { .. } | JobState::Retry { .. } => {
                    self.end_revoked(&record, revision, &options).await?
                }
                JobState::Running(_) if options.if_queued => {
                    return Err(RevokeError::AlreadyRunning { key: self.key.clone() });
                }
                JobState::Running(_) => self.ask_to_stop(&record, revision, &options).await?,
            };
            match written {
                Ok(record) => return Ok(record),
                // Somebody else wrote the record meanwhile, and what it says now decides.
                Err(moved) => (record, revision) = self.readable(moved)?,
            }
        }
    }
}
