//! Reading on in the bucket: which jobs were written since, and which of them have not ended, by the headers of their records
//! alone. Only terminal records have a time to live.

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::record::StoredEntry;

use super::bucket::Records;
use super::stored_entry::stored_entry_of;
use crate::direct::{first, range};
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

/// How many revisions are asked for before what came is looked at.
const CHUNK: u64 = 1_024;

impl Records {
    /// Reads the revisions from `from` to `last`, until so many records were read, and a part of a chunk more.
    ///
    /// Any replica may answer. `last` should be a revision that all of them have had time to store.
    pub async fn read_on(&self, from: u64, last: u64, records: usize) -> Result<BucketPart, ReadError> {
        let names = &self.connection.names;
        let stream = names.states_stream();
        let mut part = BucketPart { revisions: Vec::new(), next: from };
        let mut read = 0;
        let mut is_sparse = true;
        // By sequence and without a consumer: creating one on this stream stalls all its writes.
        while part.next <= last && read < records {
            if is_sparse {
                // Where most was written over, what is left may be far away.
                let next = first(&self.connection, &stream, &names.states_filter(), part.next).await?;
                part.next = next.map_or(last + 1, |next| next.sequence);
                if part.next > last {
                    break;
                }
            }
            let end = last.min(part.next + CHUNK - 1);
            let found = range(&self.connection, &stream, part.next..=end).await?;
            part.next = end + 1;
            read += found.len();
            is_sparse = (found.len() as u64) < CHUNK / 16;
            part.revisions.extend(found.iter().filter_map(|message| {
                let key = names.parse_state_subject(&message.subject).ok()?;
                Some(Revision { key, number: message.sequence, is_terminal: is_terminal(message) })
            }));
        }
        Ok(part)
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
