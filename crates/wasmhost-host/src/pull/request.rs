//! One request for deliveries, from its sending to its end. It holds a slot for each delivery that it asks for; a delivery
//! takes its slot along, and what is left at the end is free again.
//!
//! A request is answered by messages and, when it ends short, by a status. One that is called back ends when the server has
//! heard so: what it sent before still comes, and still has its slot. In a cluster that holds for the server that the host is
//! connected to; what the consumer's leader sends from another one in that moment is lost, and comes again after `ack_wait`.

use std::time::Duration;

use nats_wire::{Message, State, Subscription};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use wasmhost_nats::{Answer, Delivered, limited};

use super::share::{Asked, How};
use crate::host::Host;
use crate::process::process_delivery;
use crate::queues::Queue;
use crate::slots::Slot;

/// After this time beyond its own without an answer a request counts as lost.
const GRACE: Duration = Duration::from_secs(5);

/// A request for deliveries.
pub(super) struct Request<'a> {
    pub(super) host: &'a Host,
    /// The queue's place among those of the host.
    pub(super) lane: usize,
    pub(super) asked: Asked,
    pub(super) slots: Vec<Slot>,
    /// Where the answers to the request before came: it may be used again.
    pub(super) inbox: Option<Inbox>,
    /// Called back.
    pub(super) back: CancellationToken,
    /// Whether the queue's consumer is to be looked at first.
    pub(super) look: Look,
}

/// Where answers come.
pub(super) struct Inbox {
    subject: String,
    answers: Subscription,
}

/// Whether to look at a queue's consumer before asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    First,
    NotNow,
}

/// How a request ended.
pub(super) struct Ended {
    pub(super) lane: usize,
    /// Jobs that it brought.
    pub(super) delivered: usize,
    /// Jobs that wait behind them, as far as the server said.
    pub(super) waiting: u64,
    pub(super) why: Why,
    /// To be used again.
    pub(super) inbox: Option<Inbox>,
}

/// Why a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It brought all that it asked for.
    Filled,
    /// There is no more at the moment.
    Empty,
    /// It was called back.
    CalledBack,
    /// The server refused it, or the connection broke: not again at once.
    Failed,
}

/// What an answer means for the request.
enum Next {
    GoesOn,
    Ends(Why),
}

impl Request<'_> {
    pub(super) async fn run(mut self) -> Ended {
        let mut ended =
            Ended { lane: self.lane, delivered: 0, waiting: 0, why: Why::Failed, inbox: self.inbox.take() };
        if self.look == Look::First
            && let Err(error) = self.queue().look(self.host).await
        {
            limited!(warn, queue = %self.queue().name, %error, "could not check the queue's consumer");
            return ended;
        }
        if let Err(why) = self.send(&mut ended.inbox).await {
            limited!(warn, queue = %self.queue().name, why, "could not ask for jobs");
            return ended;
        }
        let Some(inbox) = &mut ended.inbox else { return ended };
        (ended.why, ended.delivered, ended.waiting) = self.attend(&mut inbox.answers).await;
        if matches!(ended.why, Why::CalledBack | Why::Failed) {
            // Unsubscribed: the server forgets what it may still have of the request.
            ended.inbox = None;
        }
        ended
    }

    fn queue(&self) -> &Queue {
        &self.host.queues[self.lane]
    }

    async fn send(&self, inbox: &mut Option<Inbox>) -> Result<(), String> {
        let wire = self.host.connection.edge().await.map_err(|error| error.to_string())?;
        let inbox = match inbox {
            Some(inbox) => inbox,
            None => {
                let subject = wire.new_inbox();
                // Room for all that it asks for, and for what says that it ends.
                let answers =
                    wire.subscribe(subject.clone(), None, self.host.config.slots as usize + 8).await;
                inbox.insert(Inbox { subject, answers })
            }
        };
        let request = match self.asked.how {
            How::Now => serde_json::json!({ "batch": self.asked.slots, "no_wait": true }),
            How::Standing(time) => {
                let expires = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                serde_json::json!({ "batch": self.asked.slots, "expires": expires })
            }
        };
        let subject = self.host.connection.names.next_message(&self.queue().name);
        let sent = wire.publish(&subject, Some(&inbox.subject), None, request.to_string().as_bytes()).await;
        sent.map_err(|error| error.to_string())
    }

    /// Takes what comes until the request ends: why, how many came, and how many wait behind them.
    async fn attend(&mut self, answers: &mut Subscription) -> (Why, usize, u64) {
        let lost_at = Instant::now() + GRACE + self.stands_for();
        let (mut delivered, mut waiting) = (0, 0);
        let mut connection = match self.host.connection.edge().await {
            Ok(wire) => wire.changes(),
            Err(_) => return (Why::Failed, 0, 0),
        };
        let connects = connection.borrow_and_update().connects;
        let mut drained = None;
        loop {
            // Dropping the other arms loses nothing: answers wait in the subscription, and what is called back stays so.
            let answer = tokio::select! {
                biased;
                answer = answers.next() => answer,
                () = self.back.cancelled(), if drained.is_none() => {
                    drained = Some(Why::CalledBack);
                    answers.drain().await;
                    continue;
                }
                () = sleep_until(lost_at), if drained.is_none() => {
                    drained = Some(Why::Failed);
                    answers.drain().await;
                    continue;
                }
                () = broken(&mut connection, connects) => return (Why::Failed, delivered, waiting),
            };
            let Some(answer) = answer else { return (drained.unwrap_or(Why::Failed), delivered, waiting) };
            let next = match Delivered::of(&answer) {
                Ok(message) => {
                    delivered += 1;
                    waiting = message.waiting;
                    self.delivered(message).await
                }
                Err(_) => self.status(&answer),
            };
            match next {
                Next::GoesOn => {}
                Next::Ends(Why::Empty) => return (drained.unwrap_or(Why::Empty), delivered, 0),
                Next::Ends(why) => return (drained.unwrap_or(why), delivered, waiting),
            }
        }
    }

    fn stands_for(&self) -> Duration {
        match self.asked.how {
            How::Now => Duration::ZERO,
            How::Standing(time) => time,
        }
    }

    /// Hands a delivery over to its attempt, with its slot. Without one, since the host closes, it goes back untouched.
    async fn delivered(&mut self, message: Delivered) -> Next {
        if self.queue().counts_anew(message.consumer_sequence)
            && let Err(error) = self.queue().look(self.host).await
        {
            limited!(warn, queue = %self.queue().name, %error, "could not check the queue's consumer");
        }
        let slot = self.slots.pop();
        match slot {
            Some(slot) if !self.host.closing.is_cancelled() => {
                let (host, created) = (self.host.clone(), self.queue().created());
                self.host.tracker.spawn(async move {
                    process_delivery(&host, message, created, slot).await;
                });
            }
            Some(_) | None => {
                drop(message.answer(&self.host.connection, Answer::Nak(Duration::ZERO)).await);
            }
        }
        if self.slots.is_empty() { Next::Ends(Why::Filled) } else { Next::GoesOn }
    }

    /// A request ended before all that it asked for had come.
    fn status(&self, answer: &Message) -> Next {
        const IDLE_HEARTBEAT: u16 = 100;
        const NO_MESSAGES: u16 = 404;
        const TIMEOUT: u16 = 408;
        let headers = answer.headers().unwrap_or_default();
        match headers.status() {
            None | Some(IDLE_HEARTBEAT) => Next::GoesOn,
            Some(NO_MESSAGES | TIMEOUT) => Next::Ends(Why::Empty),
            Some(status) => {
                let why = headers.description().unwrap_or_default();
                limited!(warn, queue = %self.queue().name, status, why, "a request for jobs ended");
                Next::Ends(Why::Failed)
            }
        }
    }
}

/// Resolves when the connection with this number is no more: the server forgets what was asked over it.
async fn broken(connection: &mut watch::Receiver<State>, connects: u64) {
    let gone = connection.wait_for(|state| !state.connected || state.connects != connects);
    drop(gone.await);
}
