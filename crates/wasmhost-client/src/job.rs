//! A handle on one job, made from its key alone: what Celery's AsyncResult tells. Waiting is in `watch` and `result`.

use wasmhost_nats::{ReadError, SubscribeError, WriteError};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::json::Json;
use wasmhost_protocol::record::{End, JobError, JobState, Payload, Record, StateLabel, StoredEntry};

use crate::client::Client;

/// A handle on one job. Cheap to clone; holds nothing on the server.
#[derive(Clone)]
pub struct Handle {
    pub(crate) client: Client,
    pub(crate) key: JobKey,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handle").field(&self.key).finish()
    }
}

/// Why a job's record could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// There is no such job, or its record has expired.
    #[error("job {key} is not found; it never was, or its record has expired")]
    NotFound {
        /// The job.
        key: JobKey,
    },
    /// What stands under the key is no record that this client reads.
    #[error("record of job {key} cannot be read: {why}")]
    Unreadable {
        /// The job.
        key: JobKey,
        /// What is wrong with it.
        why: String,
    },
    /// The server did not answer, or not with a record.
    #[error("reading the record of job {key}")]
    Unreachable {
        /// The job.
        key: JobKey,
        /// Why.
        source: ReadError,
    },
    /// The job's events could not be subscribed to.
    #[error("watching job {key}")]
    Subscribe {
        /// The job.
        key: JobKey,
        /// Why.
        source: SubscribeError,
    },
}

/// Why a job's record was not forgotten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForgetError {
    /// Its record could not be read.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// It has not ended.
    #[error("job {key} has not ended, it is {state}; revoke it first")]
    NotEnded {
        /// The job.
        key: JobKey,
        /// Its state.
        state: StateLabel,
    },
    /// The record could not be deleted.
    #[error("forgetting job {key}")]
    Write {
        /// The job.
        key: JobKey,
        /// Why.
        source: WriteError,
    },
}

impl Handle {
    pub(crate) fn new(client: Client, key: JobKey) -> Self {
        Self { client, key }
    }

    /// The job's key.
    #[must_use]
    pub fn key(&self) -> &JobKey {
        &self.key
    }

    /// Its record as it stands now.
    pub async fn record(&self) -> Result<Record, StatusError> {
        Ok(self.read().await?.0)
    }

    /// Its state now.
    pub async fn state(&self) -> Result<StateLabel, StatusError> {
        Ok(self.record().await?.state())
    }

    /// Whether it has ended.
    pub async fn ready(&self) -> Result<bool, StatusError> {
        Ok(self.record().await?.is_terminal())
    }

    /// Whether it ended with a result.
    pub async fn successful(&self) -> Result<bool, StatusError> {
        Ok(self.state().await? == StateLabel::Success)
    }

    /// Whether it ended with an error.
    pub async fn failed(&self) -> Result<bool, StatusError> {
        Ok(self.state().await? == StateLabel::Failure)
    }

    /// The JSON that goes with its state: progress, as a rule.
    pub async fn meta(&self) -> Result<Option<Json>, StatusError> {
        Ok(self.record().await?.meta.clone())
    }

    /// Why it failed; none where it did not.
    pub async fn error(&self) -> Result<Option<JobError>, StatusError> {
        Ok(match &self.record().await?.stage {
            JobState::Ended { end: End::Failure(error), .. } => Some(error.clone()),
            JobState::Ended { end: End::Success(_) | End::Revoked, .. }
            | JobState::Pending { .. }
            | JobState::Running(_)
            | JobState::Retry { .. } => None,
        })
    }

    /// Deletes the record of a job that has ended, with its result (T10). Its id is free again.
    pub async fn forget(&self) -> Result<(), ForgetError> {
        let (record, revision) = self.read().await?;
        if !record.is_terminal() {
            return Err(ForgetError::NotEnded { key: self.key.clone(), state: record.state() });
        }
        let deleted = self.client.records().delete(&self.key, revision).await;
        // Nothing follows a terminal record but its deletion: refused means that it is gone already.
        deleted.map_err(|source| ForgetError::Write { key: self.key.clone(), source })?;
        let result = match &record.stage {
            JobState::Ended { end: End::Success(Payload::Blob(blob)), .. } => Some(blob),
            JobState::Ended { .. }
            | JobState::Pending { .. }
            | JobState::Running(_)
            | JobState::Retry { .. } => None,
        };
        for blob in result.into_iter().chain(&record.checkpoint) {
            if let Err(error) = wasmhost_nats::blobs::delete(self.client.connection(), &blob.name).await {
                tracing::warn!(job.key = %self.key, %error, "a blob of a forgotten job stays until hosts clean up");
            }
        }
        Ok(())
    }

    /// The record and its revision, from the leader.
    pub(crate) async fn read(&self) -> Result<(Record, u64), StatusError> {
        let stored = self.client.records().read(&self.key).await;
        let stored = stored.map_err(|source| StatusError::Unreachable { key: self.key.clone(), source })?;
        self.readable(stored)
    }

    pub(crate) fn readable(&self, stored: StoredEntry) -> Result<(Record, u64), StatusError> {
        let key = self.key.clone();
        match stored {
            StoredEntry::Record { record, revision } => Ok((*record, revision)),
            StoredEntry::Absent | StoredEntry::Deleted(_) => Err(StatusError::NotFound { key }),
            StoredEntry::Unreadable { why, .. } => Err(StatusError::Unreadable { key, why }),
            StoredEntry::Newer { version, .. } => {
                let why = format!("version {version} is newer than this client");
                Err(StatusError::Unreadable { key, why })
            }
        }
    }
}
