//! Keys whose record has not ended, by their headers alone: only terminal records carry a time to live.

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::header;

use super::bucket::Records;
use crate::direct::all;
use crate::read_error::ReadError;
use crate::stored::StoredMessage;

/// What one look over a part of the bucket found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonTerminal {
    /// The keys, with their revisions, oldest write first.
    pub keys: Vec<(JobKey, u64)>,
    /// Where the next look starts; none: this one came to the end.
    pub next: Option<u64>,
}

/// How much one look may cost.
#[derive(Debug, Clone, Copy)]
pub struct ScanLimits {
    /// Keys found; those of a last page may be beyond it.
    pub keys: usize,
    /// Records passed, ended ones among them.
    pub records: usize,
}

impl Records {
    /// Looks for records that have not ended from revision `from` on.
    pub async fn list_non_terminal(&self, from: u64, limits: ScanLimits) -> Result<NonTerminal, ReadError> {
        let names = &self.connection.names;
        let stream = names.states_stream();
        let (mut keys, mut passed, mut next) = (Vec::new(), 0, Some(from));
        while let Some(from) = next
            && keys.len() < limits.keys
            && passed < limits.records
        {
            let page = all(&self.connection, &stream, from).await?;
            passed += page.messages.len();
            next = page.next;
            let unended = page.messages.iter().filter(|message| !is_ended(message));
            keys.extend(unended.filter_map(|message| {
                Some((names.parse_state_subject(&message.subject).ok()?, message.sequence))
            }));
        }
        Ok(NonTerminal { keys, next })
    }
}

fn is_ended(message: &StoredMessage) -> bool {
    [header::TTL, header::MARKER_REASON, header::KV_OPERATION]
        .iter()
        .any(|name| message.header(name).is_some())
}
