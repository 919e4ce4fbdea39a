//! A handle on one job, made from its key alone, and what the job's record says now. Waiting for more is in `watch` and
//! `result`.

use std::time::Duration;

use wasmhost_nats::{EndNotice, ReadError, SubscribeError};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::json::Json;
use wasmhost_protocol::record::{JobError, Record, StateLabel, StoredEntry};

use crate::client::Client;

/// How long a bucket that was there before may be away: while its stream has no leader, or the way to it is interrupted.
pub(crate) const AWAY_FOR: Duration = Duration::from_secs(60);

/// A handle on one job, as Celery's `AsyncResult` is. It is cheap to clone and costs the server nothing.
#[derive(Clone)]
pub struct JobHandle {
    pub(crate) client: Client,
    pub(crate) key: JobKey,
    /// The notice of the job's end, where this client submitted the job and asked for one.
    pub(crate) notice: Option<EndNotice>,
}

impl std::fmt::Debug for JobHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Everything else is the client's, and the same for all jobs.
        f.debug_tuple("JobHandle").field(&self.key).finish()
    }
}

/// Why the record of a job could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// There is no such job, or its record has expired.
    #[error("job {key} is not found; it never was, or its record has expired")]
    NotFound {
        /// The key of the job.
        key: JobKey,
    },
    /// This client cannot read the record that stands under the key.
    #[error("record of job {key} cannot be read: {why}")]
    Unreadable {
        /// The key of the job.
        key: JobKey,
        /// What is wrong with the record.
        why: String,
    },
    /// The server did not answer, or refused to.
    #[error("reading the record of job {key}")]
    Unreachable {
        /// The key of the job.
        key: JobKey,
        /// Why the record was not read.
        source: ReadError,
    },
    /// The job's events could not be subscribed to.
    #[error("watching job {key}")]
    Subscribe {
        /// The key of the job.
        key: JobKey,
        /// Why there is no subscription.
        source: SubscribeError,
    },
}

impl Client {
    /// Makes a handle on the job with this key, whether or not there is such a job.
    #[must_use]
    pub fn job(&self, key: &JobKey) -> JobHandle {
        JobHandle { client: self.clone(), key: key.clone(), notice: None }
    }
}

impl JobHandle {
    /// The key of the job.
    #[must_use]
    pub fn key(&self) -> &JobKey {
        &self.key
    }

    /// Reads the job's record as it is now.
    pub async fn record(&self) -> Result<Record, StatusError> {
        Ok(self.read().await?.0)
    }

    /// Reads the job's state.
    pub async fn state(&self) -> Result<StateLabel, StatusError> {
        Ok(self.record().await?.label())
    }

    /// Whether the job has ended.
    pub async fn ready(&self) -> Result<bool, StatusError> {
        Ok(self.record().await?.is_terminal())
    }

    /// Whether the job ended with a result.
    pub async fn successful(&self) -> Result<bool, StatusError> {
        Ok(self.state().await? == StateLabel::Success)
    }

    /// Whether the job ended with an error.
    pub async fn failed(&self) -> Result<bool, StatusError> {
        Ok(self.state().await? == StateLabel::Failure)
    }

    /// Reads the JSON that goes with the job's state, which as a rule is its progress.
    pub async fn meta(&self) -> Result<Option<Json>, StatusError> {
        Ok(self.record().await?.meta.clone())
    }

    /// Reads why the job failed; `None` where it did not fail.
    pub async fn error(&self) -> Result<Option<JobError>, StatusError> {
        Ok(self.record().await?.failure().cloned())
    }

    /// Reads the record and its revision from the bucket's leader.
    pub(crate) async fn read(&self) -> Result<(Record, u64), StatusError> {
        let stored = self.client.records().read(&self.key).await;
        let stored = stored.map_err(|source| StatusError::Unreachable { key: self.key.clone(), source })?;
        self.readable(stored)
    }

    /// Reads the record from the bucket's leader, as soon as it answers or refuses to.
    pub(crate) async fn read_when_answered(&self) -> Result<Record, StatusError> {
        let stored = self.client.records().read_or_refused(&self.key, AWAY_FOR).await;
        let stored = stored.map_err(|source| StatusError::Unreachable { key: self.key.clone(), source })?;
        Ok(self.readable(stored)?.0)
    }

    /// The record and its revision in what stands under the job's key.
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
