//! Finding the jobs that have not ended, by the headers of their records alone: only terminal records have a time to
//! live.

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;

use super::bucket::Records;
use crate::direct::all;
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

/// The jobs that have not ended, in one part of the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonTerminal {
    /// Their keys with the revisions of their records, oldest write first.
    pub keys: Vec<(JobKey, u64)>,
    /// The revision at which the next part starts; none: this part was the last one.
    pub next: Option<u64>,
}

/// How much one scan may read.
#[derive(Debug, Clone, Copy)]
pub struct ScanLimits {
    /// How many keys it finds before it ends. Those of its last page may exceed this.
    pub keys: usize,
    /// How many records it reads before it ends, terminal ones included.
    pub records: usize,
}

impl Records {
    /// Scans the bucket for jobs that have not ended, from the revision `from` on.
    pub async fn list_non_terminal(&self, from: u64, limits: ScanLimits) -> Result<NonTerminal, ReadError> {
        let names = &self.connection.names;
        let stream = names.states_stream();
        let mut keys = Vec::new();
        let mut read = 0;
        let mut next = Some(from);
        // By sequence and without a consumer: creating one on this stream stalls all its writes.
        while let Some(from) = next
            && keys.len() < limits.keys
            && read < limits.records
        {
            let page = all(&self.connection, &stream, from).await?;
            read += page.messages.len();
            next = page.next;
            let non_terminal = page.messages.iter().filter(|message| !is_terminal(message));
            keys.extend(non_terminal.filter_map(|message| {
                Some((names.parse_state_subject(&message.subject).ok()?, message.sequence))
            }));
        }
        Ok(NonTerminal { keys, next })
    }
}

/// Whether the message is a terminal record or a marker, as its headers say.
fn is_terminal(message: &StoredMessage) -> bool {
    [header::TTL, header::MARKER_REASON, header::KV_OPERATION]
        .iter()
        .any(|name| message.header(name).is_some())
}
