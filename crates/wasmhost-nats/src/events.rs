//! Events: every stored revision of a record, as the bucket republishes it. They only wake: who misses some sees the
//! gap in `previous`, and reads.

use async_nats::{HeaderMap, Message};
use futures::{Stream, StreamExt};
use wasmhost_protocol::{JobKey, Names, Standing, Timestamp, header};

use crate::records::{JobFilter, standing_of};
use crate::{Connection, now};

/// A stored revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The job.
    pub key: JobKey,
    /// The revision.
    pub revision: u64,
    /// The key's revision before it; 0 for its first.
    pub previous: u64,
    /// What stands with it: a record, a delete marker or something unreadable, never `Absent`.
    pub standing: Standing,
}

/// Why there is no subscription.
#[derive(Debug, thiserror::Error)]
#[error("subscribe to `{subject}`")]
pub struct SubscribeError {
    subject: String,
    source: async_nats::SubscribeError,
}

/// The events of one job, from when this returns. The stream ends with the connection.
pub async fn subscribe(
    connection: &Connection,
    key: &JobKey,
) -> Result<impl Stream<Item = Event> + Send + Unpin + use<>, SubscribeError> {
    subscribe_to(connection, connection.names.event_subject(key)).await
}

/// The events of many jobs, from when this returns.
pub async fn subscribe_all(
    connection: &Connection,
    filter: &JobFilter,
) -> Result<impl Stream<Item = Event> + Send + Unpin + use<>, SubscribeError> {
    subscribe_to(connection, filter.events(&connection.names)).await
}

async fn subscribe_to(
    connection: &Connection,
    subject: String,
) -> Result<impl Stream<Item = Event> + Send + Unpin + use<>, SubscribeError> {
    let failed = |source| SubscribeError { subject: subject.clone(), source };
    let messages = connection.client.subscribe(subject.clone()).await.map_err(failed)?;
    let names = connection.names.clone();
    // The server handles one connection's commands in order: what is sent after this finds the subscription made.
    Ok(messages.filter_map(move |message| std::future::ready(event(&names, &message))))
}

/// Reads a republished message; none for what anybody else published there.
fn event(names: &Names, message: &Message) -> Option<Event> {
    let headers = message.headers.as_ref()?;
    let key = names.parse_event_subject(&message.subject).ok()?;
    let revision = number(headers, header::SEQUENCE)?;
    let previous = number(headers, header::LAST_SEQUENCE)?;
    let at = headers.get(header::TIME_STAMP).and_then(|text| Timestamp::parse(text.as_str()).ok());
    let standing = standing_of(&key, revision, at.unwrap_or_else(now), Some(headers), &message.payload);
    Some(Event { key, revision, previous, standing })
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.as_str().parse().ok()
}
