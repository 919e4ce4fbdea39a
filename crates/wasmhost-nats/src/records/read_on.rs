//! Reading on in the bucket: which jobs were written since, and which of them have not ended, by the headers of their records
//! alone. Only terminal records have a time to live.

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::record::StoredEntry;

use super::bucket::Records;
use super::stored_entry::stored_entry_of;
use crate::direct::{each, first};
use crate::message::{MessageSelector, read};
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

/// One part of the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPart {
    /// What was read, oldest write first.
    pub revisions: Vec<Revision>,
    /// The revision at which the next part starts.
    pub next: u64,
}

/// A revision of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The job's key.
    pub key: JobKey,
    /// The revision.
    pub number: u64,
    /// Whether it is the record of a job that has ended, or a delete marker.
    pub is_terminal: bool,
}

/// How many revisions a part has at most, those that were written over included.
const PART: u64 = 1_024;

impl Records {
    /// Reads the next part of the revisions from `from` to `last`, without a consumer: creating one on this stream stalls all its
    /// writes.
    ///
    /// Any replica may answer. `last` should be a revision that all of them have had time to store.
    pub async fn read_on(&self, from: u64, last: u64) -> Result<BucketPart, ReadError> {
        let names = &self.connection.names;
        let stream = names.states_stream();
        // Most may have been written over or have expired, and what is left may be far away.
        let next = first(&self.connection, &stream, &names.states_filter(), from).await?;
        let Some(from) = next.map(|next| next.sequence).filter(|next| *next <= last) else {
            return Ok(BucketPart { revisions: Vec::new(), next: last + 1 });
        };
        let end = last.min(from + PART - 1);
        let of = |message: &StoredMessage| {
            let key = names.parse_state_subject(&message.subject).ok()?;
            Some(Revision { key, number: message.sequence, is_terminal: is_terminal(message) })
        };
        Ok(BucketPart { revisions: each(&self.connection, &stream, from..=end, of).await?, next: end + 1 })
    }

    /// Reads the stored entry with this revision, from the bucket's leader, and the key that it is under; none where something
    /// was written over it since, or it is no job's.
    pub async fn read_revision(&self, revision: u64) -> Result<Option<(JobKey, StoredEntry)>, ReadError> {
        let names = &self.connection.names;
        let stream = names.states_stream();
        let message = read(&self.connection, &stream, MessageSelector::Sequence(revision)).await?;
        Ok(message.and_then(|message| {
            let key = names.parse_state_subject(&message.subject).ok()?;
            let stored = stored_entry_of(&key, &message);
            Some((key, stored))
        }))
    }
}

/// Whether the message is a terminal record or a marker, as its headers say.
fn is_terminal(message: &StoredMessage) -> bool {
    [header::TTL, header::MARKER_REASON, header::KV_OPERATION]
        .iter()
        .any(|name| message.header(name).is_some())
}
