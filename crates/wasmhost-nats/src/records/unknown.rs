//! R5: an answer that tells a writer nothing is neither success nor failure. It reads the record until it knows; what
//! follows is the protocol's to say.

use std::time::Duration;

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::{Record, StoredEntry, Token};
use wasmhost_protocol::rules::{WriteResolution, resolve_write, still_owned};

use super::bucket::Records;
use super::write_error::WriteError;
use crate::backoff::Backoff;
use crate::fault;

/// How a write ended for who is not the record's owner.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It stands, or stood, with this revision.
    Landed(u64),
    /// Something else stands: decide again. A record with the token of one's own new claim means that the claim
    /// landed and was written over since.
    Moved(StoredEntry),
}

/// How an owner's write ended.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnedWrite {
    /// It stands with this revision.
    Landed(u64),
    /// The claim still stands, with something else written over it, such as a revoke: apply the intent on top.
    Moved {
        /// What stands.
        record: Box<Record>,
        /// Its revision.
        revision: u64,
    },
    /// The claim is over: stop, and say nothing.
    Fenced,
}

impl Records {
    /// Writes the record over revision `expected`, for who is not its owner. Errors are `Full`, `TooLarge`,
    /// `NotSetUp` and `Denied` only.
    pub async fn write(
        &self,
        key: &JobKey,
        record: &Record,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<Written, WriteError> {
        let mut backoff = Backoff::new();
        loop {
            match self.attempt(key, record, expected, ttl).await? {
                WriteResolution::Landed(revision) => return Ok(Written::Landed(revision)),
                WriteResolution::Moved(stored) => return Ok(Written::Moved(stored)),
                WriteResolution::Unchanged => backoff.wait().await,
            }
        }
    }

    /// The same for the owner of `token`.
    pub async fn write_owned(
        &self,
        key: &JobKey,
        record: &Record,
        expected: u64,
        ttl: Option<Duration>,
        token: Token,
    ) -> Result<OwnedWrite, WriteError> {
        let mut expected = expected;
        loop {
            match self.write(key, record, expected, ttl).await? {
                Written::Landed(revision) => return Ok(OwnedWrite::Landed(revision)),
                Written::Moved(stored) => match fault::writes_over_end(&stored, token) {
                    Some(revision) => expected = revision,
                    None => return Ok(owned(stored, token)),
                },
            }
        }
    }

    async fn attempt(
        &self,
        key: &JobKey,
        record: &Record,
        expected: u64,
        ttl: Option<Duration>,
    ) -> Result<WriteResolution, WriteError> {
        match self.compare_and_set(key, record, expected, ttl).await {
            Ok(revision) => return Ok(WriteResolution::Landed(revision)),
            Err(WriteError::Conflict(_)) => {}
            Err(WriteError::Unknown { text, .. }) => {
                tracing::debug!(job.key = %key, text, "a write had no answer; reading what stands");
            }
            Err(error) => return Err(error),
        }
        Ok(resolve_write(record, expected, self.read_unless_missing(key).await?))
    }
}

fn owned(stored: StoredEntry, token: Token) -> OwnedWrite {
    match still_owned(stored, token) {
        Some((record, revision)) => OwnedWrite::Moved { record, revision },
        None => OwnedWrite::Fenced,
    }
}
