//! One pull request: sending it, following it until it ends, and calling it back.

use std::time::Duration;

use nats_wire::{Message, State, Subscription, Wire};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use wasmhost_protocol::ids::QueueName;

use super::batch::{PullBatch, PullEnd, PullError, Pulled};
use crate::connect::Connection;
use crate::delivered::Delivered;
use crate::limited;

/// A request that has not ended this long after its own time counts as lost.
const GRACE: Duration = Duration::from_secs(5);
/// Room in an inbox for the statuses that end requests, beside the deliveries that are asked for.
const STATUSES: usize = 8;

/// The inbox at which deliveries arrive. It serves one request after another.
#[derive(Debug)]
pub struct PullInbox {
    subject: String,
    answers: Subscription,
}

impl PullInbox {
    async fn new(wire: &Wire, largest: usize) -> Self {
        let subject = wire.new_inbox();
        // With less room than a request asks for, deliveries would be dropped, and come again after `ack_wait`.
        let answers = wire.subscribe(subject.clone(), None, largest + STATUSES).await;
        Self { subject, answers }
    }
}

/// A request for deliveries that is under way.
#[derive(Debug)]
pub struct PullRequest {
    queue: QueueName,
    inbox: PullInbox,
    /// The moment at which a request without an end counts as lost.
    lost_at: Instant,
    connection: watch::Receiver<State>,
    /// The number of the connection that the request was sent over.
    connects: u64,
    /// Why no more deliveries are wanted, once that is so. Those that are on their way still come.
    drained: Option<PullEnd>,
}

impl PullRequest {
    /// Asks for deliveries of `queue`, to be sent to `inbox` or to a new one.
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
            None => PullInbox::new(wire, batch.largest).await,
        };
        let subject = connection.names.next_message(queue);
        let body = request_body(batch).to_string();
        let sent = wire.publish(&subject, Some(&inbox.subject), None, body.as_bytes()).await;
        sent.map_err(|error| failed(&error))?;
        let lost_at = Instant::now() + GRACE + batch.expires.unwrap_or_default();
        let mut connection = wire.changes();
        let connects = connection.borrow_and_update().connects;
        Ok(Self { queue: queue.clone(), inbox, lost_at, connection, connects, drained: None })
    }

    /// Waits for what the request brings next. Once `called_back` is cancelled, it brings what the server had sent by
    /// then, and ends.
    pub async fn next(&mut self, called_back: &CancellationToken) -> Pulled {
        loop {
            // Dropping the other arms loses nothing: answers wait in the subscription, and what is called back stays
            // so.
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
                    if let Some(end) = self.end_of(&answer) {
                        return Pulled::Ended(self.drained.unwrap_or(end));
                    }
                }
            }
        }
    }

    /// Why no more deliveries were wanted while the request was under way; none where that was not so.
    #[must_use]
    pub fn drained(&self) -> Option<PullEnd> {
        self.drained
    }

    /// Takes the inbox for the next request. After a request that failed or was called back, drop it instead: the
    /// server forgets a request when its inbox has no subscriber.
    #[must_use]
    pub fn into_inbox(self) -> PullInbox {
        self.inbox
    }

    async fn drain(&mut self, why: PullEnd) {
        self.drained = Some(why);
        self.inbox.answers.drain().await;
    }

    /// How the request ends with this status; none where the status does not end it.
    fn end_of(&self, answer: &Message) -> Option<PullEnd> {
        const IDLE_HEARTBEAT: u16 = 100;
        const NO_MESSAGES: u16 = 404;
        const TIMEOUT: u16 = 408;
        let headers = answer.headers().unwrap_or_default();
        match headers.status() {
            None | Some(IDLE_HEARTBEAT) => None,
            Some(NO_MESSAGES | TIMEOUT) => Some(PullEnd::Empty),
            // Such as 409, which ends the requests at a consumer that is deleted or recreated.
            Some(status) => {
                let why = headers.description().unwrap_or_default();
                limited!(warn, queue = %self.queue, status, why, "a request for jobs ended");
                Some(PullEnd::Failed)
            }
        }
    }
}

fn request_body(batch: PullBatch) -> Value {
    match batch.expires {
        None => json!({ "batch": batch.size, "no_wait": true }),
        Some(time) => {
            let expires = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            json!({ "batch": batch.size, "expires": expires })
        }
    }
}

/// Resolves when the connection with this number is lost: the server then forgets what was asked over it.
async fn broken(connection: &mut watch::Receiver<State>, connects: u64) {
    let lost = connection.wait_for(|state| !state.connected || state.connects != connects);
    drop(lost.await);
}
