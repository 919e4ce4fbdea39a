//! Keys whose record has not ended, by their headers alone: only terminal records carry a time to live.

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::DeliverPolicy;
use futures::StreamExt;
use wasmhost_protocol::{JobKey, header};

use super::Records;
use crate::message::ReadError;
use crate::replay::{Content, Replay, replay};

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
    /// Records passed, ended ones among them.
    pub records: usize,
}

impl Records {
    /// Looks for records that have not ended from revision `from` on.
    pub async fn unended(&self, from: u64, limits: LookLimits) -> Result<Unended, ReadError> {
        let names = &self.connection.names;
        let (stream, subject) = (names.states_stream(), names.states_filter());
        let from = DeliverPolicy::ByStartSequence { start_sequence: from.max(1) };
        let wanted = Replay { stream: &stream, subject: &subject, from, content: Content::Headers };
        let mut messages = replay(&self.connection, wanted).await?;
        let (mut keys, mut passed) = (Vec::new(), 0);
        while let Some(message) = messages.next().await {
            let message = message?;
            passed += 1;
            if !message.headers.as_ref().is_some_and(is_ended)
                && let Ok(key) = names.parse_state_subject(&message.subject)
            {
                keys.push((key, message.sequence));
            }
            if keys.len() >= limits.keys || passed >= limits.records {
                return Ok(Unended { keys, next: Some(message.sequence + 1) });
            }
        }
        Ok(Unended { keys, next: None })
    }
}

fn is_ended(headers: &HeaderMap) -> bool {
    [header::TTL, header::MARKER_REASON, header::KV_OPERATION].iter().any(|name| headers.get(*name).is_some())
}
