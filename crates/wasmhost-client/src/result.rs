//! The result of a job: waiting for its end, and telling a result from a failure and a revoke.

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::timeout;
use wasmhost_nats::blobs;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::json::{InvalidJson, Json};
use wasmhost_protocol::record::{BlobRef, End, JobError, JobState, Payload, Record};

use crate::job::{JobHandle, StatusError};

/// Why a job has no result, or not yet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    /// The job failed.
    #[error("job {} failed: {}: {}", record.key(), error.kind.as_str(), wasmhost_protocol::text::escape(&error.message))]
    Failed {
        /// Why it failed.
        error: Box<JobError>,
        /// The terminal record.
        record: Box<Record>,
    },
    /// The job was revoked.
    #[error("job {} was revoked: {}", record.key(), wasmhost_protocol::text::escape(reason))]
    Revoked {
        /// The reason that was given.
        reason: String,
        /// The terminal record.
        record: Box<Record>,
    },
    /// There is no such job, or its record was deleted meanwhile.
    #[error("job {key} is not found; it never was, or its record has expired")]
    NotFound {
        /// The key of the job.
        key: JobKey,
    },
    /// The job has not ended in time. It goes on.
    #[error("job {key} has not ended after {}", wasmhost_protocol::duration::format_duration(*waited))]
    Timeout {
        /// The key of the job.
        key: JobKey,
        /// How long its end was waited for.
        waited: Duration,
    },
    /// The result is not of the type that was asked for.
    #[error("result of job {key} is not of the type that was asked for")]
    Decode {
        /// The key of the job.
        key: JobKey,
        /// Where the result differs from it.
        source: InvalidJson,
    },
    /// The result is in a blob that could not be fetched.
    #[error("fetching the result of job {key}")]
    Blob {
        /// The key of the job.
        key: JobKey,
        /// Why the blob was not fetched.
        source: blobs::ObjectError,
    },
    /// The record could not be read.
    #[error(transparent)]
    Status(StatusError),
}

impl From<StatusError> for ResultError {
    fn from(error: StatusError) -> Self {
        match error {
            StatusError::NotFound { key } => Self::NotFound { key },
            error @ (StatusError::Unreadable { .. }
            | StatusError::Unreachable { .. }
            | StatusError::Subscribe { .. }) => Self::Status(error),
        }
    }
}

impl JobHandle {
    /// Waits for the end of the job, as long as it takes, and returns its result as a `T`.
    pub async fn result<T: DeserializeOwned>(&self) -> Result<T, ResultError> {
        let json = self.raw_result().await?;
        let result: Result<T, _> = serde_json::from_str(json.as_str());
        result.map_err(|source| ResultError::Decode { key: self.key.clone(), source: source.into() })
    }

    /// Waits like [`Self::result`], but no longer than `limit`. The job goes on afterwards.
    pub async fn result_timeout<T: DeserializeOwned>(&self, limit: Duration) -> Result<T, ResultError> {
        // A watch that is dropped leaves nothing on the server.
        match timeout(limit, self.result()).await {
            Ok(result) => result,
            Err(_) => Err(ResultError::Timeout { key: self.key.clone(), waited: limit }),
        }
    }

    /// Waits for the end of the job, as long as it takes, and returns its result as JSON text.
    pub async fn raw_result(&self) -> Result<Json, ResultError> {
        self.raw_result_of(self.terminal().await?).await
    }

    /// Returns the result in the job's record as JSON text, for who has watched the job to its end and has its record
    /// already. A record that is not terminal is waited for like [`Self::raw_result`] does.
    pub async fn raw_result_of(&self, record: Record) -> Result<Json, ResultError> {
        let record = if record.is_terminal() { record } else { self.terminal().await? };
        let JobState::Ended { end, .. } = &record.state else { unreachable!("a terminal record has ended") };
        match end {
            End::Success(Payload::Inline(json)) => Ok(json.clone()),
            End::Success(Payload::Blob(blob)) => self.fetch(blob).await,
            End::Failure(error) => {
                Err(ResultError::Failed { error: Box::new(error.clone()), record: Box::new(record) })
            }
            End::Revoked => {
                let reason = record.revoke.as_ref().map(|revoke| revoke.reason.clone()).unwrap_or_default();
                Err(ResultError::Revoked { reason, record: Box::new(record) })
            }
        }
    }

    /// Waits for the terminal record.
    pub(crate) async fn terminal(&self) -> Result<Record, StatusError> {
        match self.notice.clone() {
            Some(notice) => self.told_end(notice).await,
            None => self.watched_end().await,
        }
    }

    /// Waits for the terminal record by the events of the job.
    pub(crate) async fn watched_end(&self) -> Result<Record, StatusError> {
        let mut states = self.watch().await?;
        while let Some(record) = states.next().await {
            if record.is_terminal() {
                return Ok(record);
            }
        }
        Err(states.failure().unwrap_or_else(|| StatusError::NotFound { key: self.key.clone() }))
    }

    async fn fetch(&self, blob: &BlobRef) -> Result<Json, ResultError> {
        let bytes = blobs::get(self.client.connection(), blob).await;
        let bytes = bytes.map_err(|source| ResultError::Blob { key: self.key.clone(), source })?;
        // Bytes that are not UTF-8 are no JSON either, and refused as such.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Json::stored(text).map_err(|source| ResultError::Decode { key: self.key.clone(), source })
    }
}
