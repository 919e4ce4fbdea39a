//! Writing a record to a known end. An answer that tells the writer nothing is neither success nor failure: the writer
//! reads the record until it knows ([R5](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r5)). What
//! then follows is decided in `wasmhost_protocol::rules`.

use std::time::Duration;

use bytes::Bytes;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::{Record, StoredEntry, Token};
use wasmhost_protocol::rules::{WriteResolution, resolve_write, still_owned};

use super::bucket::Records;
use super::write_error::WriteError;
use crate::backoff::Backoff;
use crate::fault;

/// How a write ended whose writer does not own the job.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// The record was stored with this revision. Something may have been written over it since.
    Stored(u64),
    /// The record was not stored: this is what the key holds, and the writer decides again. If it has the token of the
    /// writer's own new claim, the claim was stored, and something was written over it since.
    Superseded(StoredEntry),
}

/// How the write of a job's owner ended.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnedWrite {
    /// The record was stored with this revision.
    Stored(u64),
    /// The claim is still the owner's, but something else was written, such as a revoke: the owner makes its change
    /// again on top of this record.
    Superseded {
        /// The newest record.
        record: Box<Record>,
        /// Its revision.
        revision: u64,
    },
    /// The owner is fenced: it stops its guest, and sends nothing.
    Fenced,
}

impl Records {
    /// Writes the record over the revision `expected`, for a writer that does not own the job. An end is told to whoever waits
    /// for it.
    ///
    /// # Errors
    ///
    /// Only `Full`, `TooLarge`, `NotSetUp` and `Denied`.
    pub async fn write(
        &self,
        key: &JobKey,
        record: &Record,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<Written, WriteError> {
        let mut backoff = Backoff::new();
        // Each try is of the same record with the same write id, by which an earlier try without an answer is recognised.
        let body = Bytes::from(record.to_bytes());
        loop {
            match self.attempt(key, record, &body, expected, ttl).await? {
                WriteResolution::Stored(revision) => {
                    self.tell_end_in(record, &body).await;
                    return Ok(Written::Stored(revision));
                }
                WriteResolution::Superseded(stored) => return Ok(Written::Superseded(stored)),
                WriteResolution::Unchanged => backoff.wait().await,
            }
        }
    }

    /// Writes the record over the revision `expected`, for the owner of the claim with this `token`.
    ///
    /// # Errors
    ///
    /// Only `Full`, `TooLarge`, `NotSetUp` and `Denied`.
    pub async fn write_owned(
        &self,
        key: &JobKey,
        record: &Record,
        expected: u64,
        ttl: Option<Duration>,
        token: Token,
    ) -> Result<OwnedWrite, WriteError> {
        match self.write(key, record, expected, ttl).await? {
            Written::Stored(revision) => Ok(OwnedWrite::Stored(revision)),
            Written::Superseded(stored) => match fault::writes_over_end(&stored, token) {
                // Only in the tests that switch off the rule that nothing is written over an end.
                Some(revision) => Box::pin(self.write_owned(key, record, revision, ttl, token)).await,
                None => Ok(owned(stored, token)),
            },
        }
    }

    async fn attempt(
        &self,
        key: &JobKey,
        record: &Record,
        body: &Bytes,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<WriteResolution, WriteError> {
        match self.set(key, body.clone(), expected, ttl).await {
            Ok(revision) => return Ok(WriteResolution::Stored(revision)),
            // Even a conflict tells nothing: it may be with this very record, if an earlier try was stored without an
            // answer.
            Err(WriteError::Conflict(_)) => {}
            Err(WriteError::Unknown { text, .. }) => {
                tracing::debug!(job.key = %key, text, "a write had no answer; reading what is stored");
            }
            Err(error) => return Err(error),
        }
        Ok(resolve_write(record, expected, self.read_unless_missing(key).await?))
    }
}

fn owned(stored: StoredEntry, token: Token) -> OwnedWrite {
    match still_owned(stored, token) {
        Some((record, revision)) => OwnedWrite::Superseded { record, revision },
        None => OwnedWrite::Fenced,
    }
}
