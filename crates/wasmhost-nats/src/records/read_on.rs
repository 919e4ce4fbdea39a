//! Reading on in the bucket: which jobs were written since, and which of them have not ended, by the headers of their records
//! alone. Only terminal records have a time to live.

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;
use wasmhost_protocol::record::StoredEntry;

use super::bucket::Records;
use super::stored_entry::stored_entry_of;
use crate::direct::all;
use crate::message::{MessageSelector, read};
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

/// One part of the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPart {
    /// What was read, oldest write first.
    pub revisions: Vec<Revision>,
    /// The revision at which the next part starts: behind the newest that was read.
    pub next: u64,
    /// Whether there was no more to read, as far as the replica knew that answered.
    pub at_end: bool,
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

impl Records {
    /// Reads the bucket from the revision `from` on, until so many records were read, and a part of a page more.
    pub async fn read_on(&self, from: u64, records: usize) -> Result<BucketPart, ReadError> {
        let names = &self.connection.names;
        let stream = names.states_stream();
        let mut part = BucketPart { revisions: Vec::new(), next: from, at_end: false };
        let mut read = 0;
        // By sequence and without a consumer: creating one on this stream stalls all its writes.
        while !part.at_end && read < records {
            let page = all(&self.connection, &stream, part.next).await?;
            read += page.messages.len();
            // Not the newest revision that there is: the replica that answered may lag.
            part.next = page.messages.last().map_or(part.next, |last| last.sequence + 1);
            part.at_end = page.next.is_none();
            part.revisions.extend(page.messages.iter().filter_map(|message| {
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
