//! Events: every stored revision of a record, as the states bucket republishes it. They only wake whoever waits; what
//! counts is read from the leader. A subscriber that missed some sees the gap in `previous`.

use futures::stream::{self, Stream, StreamExt};
use nats_wire::{Headers, Message, State, Subscription, Wire};
use tokio::sync::watch;
use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::names::{Names, header};
use wasmhost_protocol::record::StoredEntry;

use crate::connect::{ConnectError, Connection};
use crate::records::{JobFilter, stored_entry_of};
use crate::stored::StoredMessage;

/// How many events may wait to be taken. Of more, the newest are dropped, which shows as a gap.
const WAITING: usize = 4096;

/// A stored revision of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The job's key.
    pub key: JobKey,
    /// The revision.
    pub revision: u64,
    /// The key's revision before this one; 0 where this is its first.
    pub previous: u64,
    /// What was stored: a record, a delete marker or something unreadable, never `Absent`.
    pub stored: StoredEntry,
}

/// Why there is no subscription.
#[derive(Debug, thiserror::Error)]
#[error("subscribe to `{subject}`")]
pub struct SubscribeError {
    subject: String,
    source: Box<ConnectError>,
}

/// What a subscriber hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A revision was stored.
    Event(Event),
    /// Events may have been missed, because the connection was recreated or too many waited: read the records again.
    Missed,
}

/// Subscribes to the events of one job, beginning with what is stored after this returns.
pub async fn subscribe(
    connection: &Connection,
    key: &JobKey,
) -> Result<impl Stream<Item = Heard> + Send + Unpin + use<>, SubscribeError> {
    subscribe_to(connection, connection.names.event_subject(key)).await
}

/// Subscribes to the events of many jobs, beginning with what is stored after this returns.
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
    // A record that is read over the other connection after this round trip is read after the server has the
    // subscription. Without a connection the flush fails; the subscription is then made with the next one, which is
    // reported as missed.
    drop(wire.flush().await);
    let listener = Listener { wire, subscription, connections, connects, missed: 0 };
    let messages = stream::unfold(listener, async |mut listener: Listener| {
        listener.next().await.map(|message| (message, listener))
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

struct Listener {
    wire: Wire,
    subscription: Subscription,
    connections: watch::Receiver<State>,
    /// How often the connection had been made when that was last reported as missed.
    connects: u64,
    /// How many messages had been dropped by then for want of room.
    missed: u64,
}

impl Listener {
    /// The next message, or `Some(None)` where some may have been missed; none at the end.
    async fn next(&mut self) -> Option<Option<Message>> {
        loop {
            let connects = self.connections.borrow_and_update().clone();
            if connects.connected && connects.connects != self.connects {
                self.connects = connects.connects;
                // Whoever reads after the report must not miss what is stored then: the subscription has to be there
                // first.
                drop(self.wire.flush().await);
                return Some(None);
            }
            if self.subscription.missed() != self.missed {
                self.missed = self.subscription.missed();
                return Some(None);
            }
            // Dropping the other arm loses nothing: a message stays until it is taken, and a change stays noticed.
            tokio::select! {
                message = self.subscription.next() => return message.map(Some),
                Ok(()) = self.connections.changed() => {}
            }
        }
    }
}

/// Reads a republished message; none where it lacks the headers that the server adds.
fn event(names: &Names, message: &Message) -> Option<Event> {
    let key = names.parse_event_subject(&message.subject).ok()?;
    // The server appends its own headers, so that a publisher's of the same name come before them.
    let server_headers = Headers::ending(message.block.as_deref()?);
    let previous = server_headers.last(header::LAST_SEQUENCE)?.parse().ok()?;
    let message = StoredMessage::of_direct(message)?;
    let stored = stored_entry_of(&key, &message);
    Some(Event { key, revision: message.sequence, previous, stored })
}
