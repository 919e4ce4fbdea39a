//! One request for deliveries, from its sending to its end. It holds a slot for each delivery that it asks for; a delivery
//! takes its slot along, and what is left at the end is free again.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wasmhost_nats::limited;
use wasmhost_nats::pull::{PullBatch, PullEnd, PullInbox, PullRequest, Pulled};
use wasmhost_nats::{Answer, Delivered};

use super::share::{Asked, How};
use crate::host::Host;
use crate::process::process_delivery;
use crate::queues::Queue;
use crate::slots::Slot;

/// A request for deliveries.
pub(super) struct Request<'a> {
    pub(super) host: &'a Arc<Host>,
    /// The queue's place among those of the host.
    pub(super) lane: usize,
    pub(super) asked: Asked,
    pub(super) slots: Vec<Slot>,
    /// Where the answers to the request before came: it may be used again.
    pub(super) inbox: Option<PullInbox>,
    /// Cancelled when the request is called back.
    pub(super) call_back: CancellationToken,
    /// Whether the queue's consumer is to be inspected first.
    pub(super) inspect: Inspect,
}

/// Whether to inspect a queue's consumer before asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inspect {
    First,
    NotNow,
}

/// How a request ended.
pub(super) struct Ended {
    pub(super) lane: usize,
    /// Deliveries that it brought.
    pub(super) delivered: usize,
    /// Messages that wait behind them, as far as the server said.
    pub(super) waiting: u64,
    pub(super) why: Why,
    /// To be used again.
    pub(super) inbox: Option<PullInbox>,
}

/// Why a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It brought all that it asked for.
    Filled,
    /// Before that.
    Short(PullEnd),
}

impl Request<'_> {
    pub(super) async fn run(mut self) -> Ended {
        let failed = Why::Short(PullEnd::Failed);
        let mut ended = Ended { lane: self.lane, delivered: 0, waiting: 0, why: failed, inbox: None };
        if self.inspect == Inspect::First
            && let Err(error) = self.queue().inspect(&self.host.storage.connection).await
        {
            limited!(warn, queue = %self.queue().name, %error, "could not check the queue's consumer");
            ended.inbox = self.inbox;
            return ended;
        }
        let batch = PullBatch {
            size: self.asked.slots,
            expires: match self.asked.how {
                How::Now => None,
                How::Standing(time) => Some(time),
            },
            largest: self.host.config.slots as usize,
        };
        let inbox = self.inbox.take();
        let mut request =
            match PullRequest::send(&self.host.storage.connection, &self.queue().name, batch, inbox).await {
                Ok(request) => request,
                Err(error) => {
                    limited!(warn, queue = %self.queue().name, %error, "could not ask for jobs");
                    return ended;
                }
            };
        ended.why = loop {
            match request.next(&self.call_back).await {
                Pulled::Delivery(message) => {
                    ended.delivered += 1;
                    ended.waiting = message.waiting;
                    self.hand_over(*message).await;
                    if self.slots.is_empty() {
                        break request.drained().map_or(Why::Filled, Why::Short);
                    }
                }
                Pulled::Ended(end) => break Why::Short(end),
            }
        };
        match ended.why {
            Why::Filled => ended.inbox = Some(request.into_inbox()),
            Why::Short(PullEnd::Empty) => {
                ended.waiting = 0;
                ended.inbox = Some(request.into_inbox());
            }
            Why::Short(PullEnd::CalledBack | PullEnd::Failed) => {}
        }
        ended
    }

    fn queue(&self) -> &Queue {
        &self.host.queues[self.lane]
    }

    /// Hands a delivery over to its attempt, with its slot. Without one, since the host closes, it goes back untouched.
    async fn hand_over(&mut self, message: Delivered) {
        if self.queue().counts_anew(message.consumer_sequence)
            && let Err(error) = self.queue().inspect(&self.host.storage.connection).await
        {
            limited!(warn, queue = %self.queue().name, %error, "could not check the queue's consumer");
        }
        match self.slots.pop() {
            Some(slot) if !self.host.life.closing.is_cancelled() => {
                let host = self.host.clone();
                let created = self.queue().created();
                self.host.life.tracker.spawn(async move {
                    process_delivery(&host, message, created, slot).await;
                });
            }
            Some(_) | None => {
                drop(message.answer(&self.host.storage.connection, Answer::Nak(Duration::ZERO)).await);
            }
        }
    }
}
