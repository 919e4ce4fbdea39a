//! Events: every stored revision of a record, as the bucket republishes it. They only wake: who misses some sees the
//! gap in `previous`, and reads.

use futures::stream::{self, Stream, StreamExt};
use nats_wire::{Headers, Message, State, Subscription, Wire};
use tokio::sync::watch;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::{Names, header};
use wasmhost_protocol::record::StoredEntry;

use crate::connect::{ConnectError, Connection};
use crate::records::{JobFilter, stored_entry_of};
use crate::stored::StoredMessage;

/// Events that wait to be taken; of more, the newest are missed, which shows as a gap.
const WAITING: usize = 4096;

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
    pub stored: StoredEntry,
}

/// Why there is no subscription.
#[derive(Debug, thiserror::Error)]
#[error("subscribe to `{subject}`")]
pub struct SubscribeError {
    subject: String,
    source: Box<ConnectError>,
}

/// What a listener hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A stored revision.
    Event(Event),
    /// Some may have been missed: the connection was made anew, or too many waited. Read what stands.
    Missed,
}

/// The events of one job, from when this returns.
pub async fn subscribe(
    connection: &Connection,
    key: &JobKey,
) -> Result<impl Stream<Item = Heard> + Send + Unpin + use<>, SubscribeError> {
    subscribe_to(connection, connection.names.event_subject(key)).await
}

/// The events of many jobs, from when this returns.
pub async fn subscribe_all(
    connection: &Connection,
    filter: &JobFilter,
) -> Result<impl Stream<Item = Heard> + Send + Unpin + use<>, SubscribeError> {
    subscribe_to(connection, filter.events(&connection.names)).await
}

async fn subscribe_to(
    connection: &Connection,
    subject: String,
) -> Result<impl Stream<Item = Heard> + Send + Unpin + use<>, SubscribeError> {
    let failed = |source| SubscribeError { subject: subject.clone(), source: Box::new(source) };
    let wire = connection.edge().await.map_err(failed)?.clone();
    let subscription = wire.subscribe(subject.clone(), None, WAITING).await;
    let connections = wire.changes();
    let connects = connections.borrow().connects;
    // What is read on the other connection after this finds the subscription made. Without a connection at the moment it is
    // made with the next one, and is told of as missed.
    drop(wire.flush().await);
    let listening = Listening { wire, subscription, connections, connects, missed: 0 };
    let messages = stream::unfold(listening, async |mut listening: Listening| {
        listening.next().await.map(|message| (message, listening))
    });
    let names = connection.names.clone();
    let heard = messages.filter_map(move |message| {
        std::future::ready(match message {
            Some(message) => event(&names, &message).map(Heard::Event),
            None => Some(Heard::Missed),
        })
    });
    Ok(heard.boxed())
}

struct Listening {
    wire: Wire,
    subscription: Subscription,
    connections: watch::Receiver<State>,
    /// How often the connection had been made when what was missed was last told of.
    connects: u64,
    /// How many messages had found no room by then.
    missed: u64,
}

impl Listening {
    /// The next message, or that some were missed; none at the end.
    async fn next(&mut self) -> Option<Option<Message>> {
        loop {
            let connects = self.connections.borrow_and_update().clone();
            if connects.connected && connects.connects != self.connects {
                self.connects = connects.connects;
                // Only then is the subscription made with this connection, too.
                drop(self.wire.flush().await);
                return Some(None);
            }
            if self.subscription.missed() != self.missed {
                self.missed = self.subscription.missed();
                return Some(None);
            }
            // Dropping the other arm loses nothing: a message stays until it is taken, a change stays noticed.
            tokio::select! {
                message = self.subscription.next() => return message.map(Some),
                Ok(()) = self.connections.changed() => {}
            }
        }
    }
}

/// Reads a republished message; none for what anybody else published there.
fn event(names: &Names, message: &Message) -> Option<Event> {
    let key = names.parse_event_subject(&message.subject).ok()?;
    let told = Headers::ending(message.block.as_deref()?);
    let previous = told.last(header::LAST_SEQUENCE)?.parse().ok()?;
    let message = StoredMessage::of_direct(message)?;
    let stored = stored_entry_of(&key, &message);
    Some(Event { key, revision: message.sequence, previous, stored })
}
