//! Forgetting a job that has ended: its record is deleted, with the blobs that it names, and its id is free again.

use wasmhost_nats::{WriteError, blobs};
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::StateLabel;

use crate::job::{JobHandle, StatusError};

/// Why the record of a job was not deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForgetError {
    /// The record could not be read.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The job has not ended.
    #[error("job {key} has not ended, it is {state}; revoke it first")]
    NotEnded {
        /// The key of the job.
        key: JobKey,
        /// The state of the job.
        state: StateLabel,
    },
    /// The record could not be deleted.
    #[error("forgetting job {key}")]
    Write {
        /// The key of the job.
        key: JobKey,
        /// Why the server did not delete it.
        source: WriteError,
    },
}

impl JobHandle {
    /// Deletes the record of a job that has ended, and its result. The id is free again.
    pub async fn forget(&self) -> Result<(), ForgetError> {
        let (record, revision) = self.read().await?;
        if !record.is_terminal() {
            return Err(ForgetError::NotEnded { key: self.key.clone(), state: record.label() });
        }
        let deleted = self.client.records().delete(&self.key, revision).await;
        // A terminal record changes only by its deletion, so that a refusal means that it is gone already.
        deleted.map_err(|source| ForgetError::Write { key: self.key.clone(), source })?;
        // The blobs come after the record: hosts remove a blob that no record names, but not a record whose blob is gone.
        for blob in record.result_blob().into_iter().chain(&record.checkpoint) {
            if let Err(error) = blobs::delete(self.client.connection(), &blob.name).await {
                tracing::warn!(job.key = %self.key, %error, "a blob of a forgotten job stays until hosts clean up");
            }
        }
        Ok(())
    }
}
