//! Telling the end of a job to whoever waits for it: the terminal record is published to the inbox that it names
//! ([R15](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r15)).

use std::fmt;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::Shared;
use nats_wire::{Expected, Message, State};
use tokio::sync::watch;
use wasmhost_protocol::ids::Inbox;
use wasmhost_protocol::record::Record;

use super::bucket::Records;
use crate::connect::ConnectError;
use crate::fault;

/// The notice of one job's end, which is expected at an inbox of this connection. Clones expect the same notice.
#[derive(Clone)]
pub struct EndNotice {
    inbox: Inbox,
    message: Shared<Expected>,
    connections: watch::Receiver<State>,
    /// How often the connection had been made when that was last reported as missed.
    connects: u64,
    has_come: bool,
}

/// What came of the wait for a notice.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The job has ended with this record.
    End(Box<Record>),
    /// The notice may have been lost, because the connection was recreated: read the record.
    Missed,
    /// What came is no notice, and nothing else will come: others may publish to the inbox too.
    Spoilt,
}

impl fmt::Debug for EndNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EndNotice").field(&self.inbox).finish()
    }
}

impl Records {
    /// Expects the notice of one job's end, at an inbox that nobody else knows.
    ///
    /// # Errors
    ///
    /// There is no connection yet, and none can be made.
    pub async fn expect_end(&self) -> Result<EndNotice, ConnectError> {
        let wire = self.connection.records().await?;
        let connections = wire.changes();
        let connects = connections.borrow().connects;
        let expected = wire.expect().await;
        let inbox = Inbox::parse(expected.subject()).expect("a client's own inbox is an inbox");
        Ok(EndNotice { inbox, message: expected.shared(), connections, connects, has_come: false })
    }

    /// Tells the end of a job that has ended, if it names an inbox. The notice is sent once and not confirmed: whoever waits also
    /// reads the record from time to time.
    pub async fn tell_end(&self, record: &Record) {
        if record.is_terminal() && record.notify.is_some() {
            self.tell_end_in(record, &record.to_bytes().into()).await;
        }
    }

    /// Tells the end of a job, where `record` is one, whose JSON text is `body`.
    pub(super) async fn tell_end_in(&self, record: &Record, body: &Bytes) {
        let Some(inbox) = record.notify.as_ref().filter(|_| record.is_terminal()) else { return };
        // A host that dies here has told nobody: the next one does, when the delivery comes again.
        fault::point("before-notice");
        // To whoever may not publish here each try would be an error of the server's.
        if self.connection.denials.may_notify()
            && let Ok(wire) = self.connection.records().await
            && let Err(error) = wire.publish(inbox.as_str(), None, None, body).await
        {
            tracing::debug!(%inbox, %error, "the end of a job was not told");
        }
    }
}

impl EndNotice {
    /// The inbox at which the notice is expected, for the job to name.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Waits for the notice, or for a reason to read the record in its place. After `End` and `Spoilt` it waits for reconnects
    /// alone. The future is safe to drop.
    pub async fn next(&mut self) -> Told {
        loop {
            let (connected, connects) = {
                let state = self.connections.borrow_and_update();
                (state.connected, state.connects)
            };
            if connected && connects != self.connects {
                self.connects = connects;
                return Told::Missed;
            }
            // Dropping the other arm loses nothing: a message stays until it is taken, and a change stays noticed.
            tokio::select! {
                biased;
                message = self.message.clone(), if !self.has_come => {
                    self.has_come = true;
                    return told(message);
                }
                Ok(()) = self.connections.changed() => {}
                else => std::future::pending().await,
            }
        }
    }
}

fn told(message: Option<Message>) -> Told {
    let record = message.and_then(|message| Record::from_bytes(&message.payload).ok());
    record.filter(Record::is_terminal).map_or(Told::Spoilt, |record| Told::End(Box::new(record)))
}
