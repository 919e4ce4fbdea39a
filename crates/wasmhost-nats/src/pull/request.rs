//! One request: sent, followed until it ends, called back.

use std::time::Duration;

use nats_wire::{Message, State, Subscription};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use wasmhost_protocol::ids::QueueName;

use super::batch::{PullBatch, PullEnd, PullError, Pulled};
use crate::connect::Connection;
use crate::delivered::Delivered;
use crate::limited;

/// A request that is not answered within this time beyond its own counts as lost.
const GRACE: Duration = Duration::from_secs(5);
/// Room in an inbox beside the deliveries that are asked for: for the statuses that end requests.
const STATUSES: usize = 8;

/// Where the deliveries come. It serves one request after another.
#[derive(Debug)]
pub struct PullInbox {
    subject: String,
    answers: Subscription,
}

/// A request for deliveries that is under way.
#[derive(Debug)]
pub struct PullRequest {
    queue: QueueName,
    inbox: PullInbox,
    /// Without an answer until then it counts as lost.
    lost_at: Instant,
    connection: watch::Receiver<State>,
    /// The number of the connection that it was sent over.
    connects: u64,
    /// Set once no more is wanted: what is on its way still comes.
    drained: Option<PullEnd>,
}

impl PullRequest {
    /// Asks for deliveries of `queue`, to be answered to `inbox` or to a new one.
    pub async fn send(
        connection: &Connection,
        queue: &QueueName,
        batch: PullBatch,
        inbox: Option<PullInbox>,
    ) -> Result<Self, PullError> {
        let failed =
            |error: &dyn std::error::Error| PullError { queue: queue.clone(), text: error.to_string() };
        let wire = connection.edge().await.map_err(|error| failed(&error))?;
        let inbox = match inbox {
            Some(inbox) => inbox,
            None => {
                let subject = wire.new_inbox();
                let answers = wire.subscribe(subject.clone(), None, batch.largest + STATUSES).await;
                PullInbox { subject, answers }
            }
        };
        let request = match batch.expires {
            None => serde_json::json!({ "batch": batch.size, "no_wait": true }),
            Some(time) => {
                let expires = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                serde_json::json!({ "batch": batch.size, "expires": expires })
            }
        };
        let subject = connection.names.next_message(queue);
        let sent = wire.publish(&subject, Some(&inbox.subject), None, request.to_string().as_bytes()).await;
        sent.map_err(|error| failed(&error))?;
        let lost_at = Instant::now() + GRACE + batch.expires.unwrap_or_default();
        let mut connection = wire.changes();
        let connects = connection.borrow_and_update().connects;
        Ok(Self { queue: queue.clone(), inbox, lost_at, connection, connects, drained: None })
    }

    /// What it brings next. After `called_back` was cancelled it brings what the server had sent by then, and ends.
    pub async fn next(&mut self, called_back: &CancellationToken) -> Pulled {
        loop {
            // Dropping the other arms loses nothing: answers wait in the subscription, and what is called back stays so.
            let answer = tokio::select! {
                biased;
                answer = self.inbox.answers.next() => answer,
                () = called_back.cancelled(), if self.drained.is_none() => {
                    self.drain(PullEnd::CalledBack).await;
                    continue;
                }
                () = sleep_until(self.lost_at), if self.drained.is_none() => {
                    self.drain(PullEnd::Failed).await;
                    continue;
                }
                () = broken(&mut self.connection, self.connects) => return Pulled::Ended(PullEnd::Failed),
            };
            let Some(answer) = answer else { return Pulled::Ended(self.drained.unwrap_or(PullEnd::Failed)) };
            match Delivered::of(&answer) {
                Ok(message) => return Pulled::Delivery(Box::new(message)),
                Err(_) => {
                    if let Some(end) = self.status(&answer) {
                        return Pulled::Ended(self.drained.unwrap_or(end));
                    }
                }
            }
        }
    }

    /// Why no more was wanted while the request was under way, if so.
    #[must_use]
    pub fn drained(&self) -> Option<PullEnd> {
        self.drained
    }

    /// The inbox, for the next request. Drop it after a request that failed or was called back: unsubscribed, the server
    /// forgets what it may still have of that request.
    #[must_use]
    pub fn into_inbox(self) -> PullInbox {
        self.inbox
    }

    async fn drain(&mut self, why: PullEnd) {
        self.drained = Some(why);
        self.inbox.answers.drain().await;
    }

    /// What a status says of the request, where it ends it.
    fn status(&self, answer: &Message) -> Option<PullEnd> {
        const IDLE_HEARTBEAT: u16 = 100;
        const NO_MESSAGES: u16 = 404;
        const TIMEOUT: u16 = 408;
        let headers = answer.headers().unwrap_or_default();
        match headers.status() {
            None | Some(IDLE_HEARTBEAT) => None,
            Some(NO_MESSAGES | TIMEOUT) => Some(PullEnd::Empty),
            Some(status) => {
                let why = headers.description().unwrap_or_default();
                limited!(warn, queue = %self.queue, status, why, "a request for jobs ended");
                Some(PullEnd::Failed)
            }
        }
    }
}

/// Resolves when the connection with this number is no more: the server forgets what was asked over it.
async fn broken(connection: &mut watch::Receiver<State>, connects: u64) {
    let gone = connection.wait_for(|state| !state.connected || state.connects != connects);
    drop(gone.await);
}
