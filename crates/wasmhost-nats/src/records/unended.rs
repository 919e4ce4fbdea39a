//! Keys whose record has not ended, by their headers alone: only terminal records carry a time to live.

use futures::StreamExt;
use wasmhost_protocol::{JobKey, header};

use super::Records;
use crate::StoredMessage;
use crate::direct::{first, numbered};
use crate::message::ReadError;

/// What one look over a part of the bucket found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unended {
    /// The keys, with their revisions, oldest write first.
    pub keys: Vec<(JobKey, u64)>,
    /// Where the next look starts; none: this one came to the end.
    pub next: Option<u64>,
}

/// How much one look may cost.
#[derive(Debug, Clone, Copy)]
pub struct LookLimits {
    /// Keys found.
    pub keys: usize,
    /// Numbers passed, those of ended records and of none among them.
    pub records: usize,
}

impl Records {
    /// Looks for records that have not ended from revision `from` on.
    pub async fn unended(&self, from: u64, limits: LookLimits) -> Result<Unended, ReadError> {
        let names = &self.connection.names;
        let stream = names.states_stream();
        let last = self.last_revision().await?;
        let from = match first(&self.connection, &stream, &names.states_filter(), from).await? {
            Some(message) => message.sequence,
            None => return Ok(Unended { keys: Vec::new(), next: None }),
        };
        let passed = u64::try_from(limits.records).unwrap_or(u64::MAX);
        let end = last.min(from.saturating_add(passed.saturating_sub(1)));
        let mut messages = numbered(&self.connection, &stream, from..=end);
        let mut keys = Vec::new();
        while let Some(message) = messages.next().await {
            let message = message?;
            if !is_ended(&message)
                && let Ok(key) = names.parse_state_subject(&message.subject)
            {
                keys.push((key, message.sequence));
            }
            if keys.len() >= limits.keys {
                return Ok(Unended { keys, next: Some(message.sequence + 1) });
            }
        }
        Ok(Unended { keys, next: Some(end + 1).filter(|next| *next <= last) })
    }
}

fn is_ended(message: &StoredMessage) -> bool {
    [header::TTL, header::MARKER_REASON, header::KV_OPERATION]
        .iter()
        .any(|name| message.header(name).is_some())
}
