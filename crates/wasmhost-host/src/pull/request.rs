//! One request for deliveries, from its sending to its end. It holds a slot for each delivery that it asks for. A delivery takes
//! its slot along; the slots that are left at the end are free again.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wasmhost_nats::pull::{PullBatch, PullEnd, PullInbox, PullRequest, Pulled};
use wasmhost_nats::{Answer, Delivered, limited};

use super::share::PullMode;
use crate::host::Host;
use crate::process::process_delivery;
use crate::queues::Queue;
use crate::slots::Slot;

/// A request for deliveries of one queue.
pub(super) struct Request<'a> {
    pub(super) host: &'a Arc<Host>,
    /// The queue's index among those of the host.
    pub(super) queue_index: usize,
    pub(super) mode: PullMode,
    /// How many deliveries the request asks for.
    pub(super) size: usize,
    pub(super) slots: Vec<Slot>,
    /// The inbox of the request before, which may be used again.
    pub(super) inbox: Option<PullInbox>,
    /// Cancelled when the request is called back.
    pub(super) call_back: CancellationToken,
    pub(super) inspect: Inspect,
}

/// Whether the queue's consumer is inspected before the request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inspect {
    /// It is inspected first.
    First,
    /// It is not inspected.
    Skip,
}

/// How a request ended.
pub(super) struct RequestEnd {
    pub(super) queue_index: usize,
    /// How many deliveries the request brought.
    pub(super) delivered: usize,
    /// How many messages wait behind them, as far as the server said.
    pub(super) pending: u64,
    pub(super) reason: EndReason,
    /// The inbox, where the next request may use it again.
    pub(super) inbox: Option<PullInbox>,
}

/// Why a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndReason {
    /// It brought all deliveries that it asked for.
    Filled,
    /// It ended before that.
    Short(PullEnd),
}

impl Request<'_> {
    /// Sends the request, and hands over what it brings until it ends.
    pub(super) async fn run(mut self) -> RequestEnd {
        let failed = EndReason::Short(PullEnd::Failed);
        let mut end = RequestEnd {
            queue_index: self.queue_index,
            delivered: 0,
            pending: 0,
            reason: failed,
            inbox: None,
        };
        if self.inspect == Inspect::First && !Box::pin(self.inspect_consumer()).await {
            end.inbox = self.inbox;
            return end;
        }
        let Some(mut request) = self.send().await else { return end };
        end.reason = loop {
            match request.next(&self.call_back).await {
                Pulled::Delivery(message) => {
                    end.delivered += 1;
                    end.pending = message.waiting;
                    self.hand_over(*message).await;
                    if self.slots.is_empty() {
                        break request.drained().map_or(EndReason::Filled, EndReason::Short);
                    }
                }
                Pulled::Ended(why) => break EndReason::Short(why),
            }
        };
        match end.reason {
            EndReason::Filled => end.inbox = Some(request.into_inbox()),
            EndReason::Short(PullEnd::Empty) => {
                end.pending = 0;
                end.inbox = Some(request.into_inbox());
            }
            // Dropped, the inbox is unsubscribed: the server forgets what it may still have of the request.
            EndReason::Short(PullEnd::CalledBack | PullEnd::Failed) => {}
        }
        end
    }

    fn queue(&self) -> &Queue {
        &self.host.queues[self.queue_index]
    }

    /// Inspects the queue's consumer. Returns whether that was possible.
    async fn inspect_consumer(&self) -> bool {
        match self.queue().inspect(&self.host.storage.connection).await {
            Ok(_) => true,
            Err(error) => {
                limited!(warn, queue = %self.queue().name, %error, "could not check the queue's consumer");
                false
            }
        }
    }

    async fn send(&mut self) -> Option<PullRequest> {
        let batch = PullBatch {
            size: self.size,
            expires: match self.mode {
                PullMode::NoWait => None,
                PullMode::Wait(time) => Some(time),
            },
            largest: self.host.config.slots as usize,
        };
        let inbox = self.inbox.take();
        let connection = &self.host.storage.connection;
        PullRequest::send(connection, &self.queue().name, batch, inbox)
            .await
            .inspect_err(|error| {
                limited!(warn, queue = %self.queue().name, %error, "could not ask for jobs");
            })
            .ok()
    }

    /// Hands a delivery over to its processing, with its slot. While the host drains it is given back untouched.
    async fn hand_over(&mut self, message: Delivered) {
        // A number that does not rise comes from a consumer that was recreated: its creation is written into records.
        if self.queue().note_sequence(message.consumer_sequence) {
            Box::pin(self.inspect_consumer()).await;
        }
        match self.slots.pop() {
            Some(slot) if !self.host.life.draining.is_cancelled() => {
                let host = self.host.clone();
                let consumer_created = self.queue().consumer_created();
                // Boxed before it is handed over, which would copy it three times.
                let processing = Box::pin(async move {
                    process_delivery(&host, message, consumer_created, slot).await;
                });
                self.host.life.tracker.spawn(processing);
            }
            Some(_) | None => {
                let connection = &self.host.storage.connection;
                drop(message.answer(connection, Answer::Nak(Duration::ZERO)).await);
            }
        }
    }
}
