//! Pulling: free slots ask for as many deliveries, over raw requests to one inbox per queue.
//!
//! A request is answered by messages and, when it ends short, by a status with the number that it still owed. async-nats'
//! own streams ask ahead of free slots, and stall for seconds at a batch of one.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::Message;
use async_nats::{StatusCode, Subscriber};
use futures::StreamExt;
use tokio::time::{Instant, sleep_until};
use wasmhost_nats::{QueueConsumer, look_at_consumer};
use wasmhost_protocol::{QueueName, header};

use crate::attempt::attempt;
use crate::host::Host;
use crate::settle::{Settle, in_progress, settle};
use crate::slots::{Slot, Slots};

/// How long one request waits at the server.
const REQUEST_EXPIRES: Duration = Duration::from_secs(30);
/// After this time without an answer a request counts as lost.
const REQUEST_LOST: Duration = Duration::from_secs(35);
/// A pause after the server refused a request.
const REFUSED_DELAY: Duration = Duration::from_millis(500);

struct Pull<'a> {
    host: &'a Host,
    queue: &'a QueueName,
    consumer: QueueConsumer,
    slots: Slots,
    /// Deliveries asked for and not yet come.
    owed: usize,
    /// When what is owed counts as lost.
    lost_at: Instant,
    /// No request before this.
    not_before: Instant,
}

/// Pulls from one queue until the host closes. Ends early only with an error.
pub(crate) async fn pull(
    host: &Host,
    queue: &QueueName,
    consumer: QueueConsumer,
    slots: u32,
) -> Result<(), String> {
    let (mut inbox, mut answers) = subscribe(host, queue).await?;
    let mut reconnected = host.connection.reconnected();
    let now = Instant::now();
    let mut pull =
        Pull { host, queue, consumer, slots: Slots::new(slots), owed: 0, lost_at: now, not_before: now };
    loop {
        pull.request(&inbox).await;
        // Dropping the other arms loses nothing: answers wait in the subscription, freed slots in the semaphore.
        tokio::select! {
            answer = answers.next() => match answer {
                Some(message) => pull.answered(message).await,
                None => return Err(format!("the subscription for {queue} ended")),
            },
            () = pull.slots.freed() => {}
            () = sleep_until(pull.not_before), if pull.not_before > Instant::now() => {}
            () = sleep_until(pull.lost_at), if pull.owed > 0 => pull.owed = 0,
            Ok(()) = reconnected.changed() => {
                // The server may still hold requests from before: nobody listens for their answers any more.
                let (new_inbox, new_answers) = subscribe(host, queue).await?;
                inbox = new_inbox;
                let mut before = std::mem::replace(&mut answers, new_answers);
                drop(before.unsubscribe().await);
                while let Some(message) = before.next().await {
                    pull.answered(message).await;
                }
                pull.owed = 0;
                pull.check_consumer().await;
            }
            () = host.closing.cancelled() => break,
        }
    }
    // What the server had sent already goes back untouched.
    drop(answers.unsubscribe().await);
    while let Some(message) = answers.next().await {
        if message.reply.is_some() && message.status.is_none() {
            settle(&pull.delivered(message), Settle::Nak(Duration::ZERO)).await;
        }
    }
    Ok(())
}

/// An inbox of its own, and what comes to it.
async fn subscribe(host: &Host, queue: &QueueName) -> Result<(String, Subscriber), String> {
    let inbox = host.connection.client.new_inbox();
    let subscribed = host.connection.client.subscribe(inbox.clone()).await;
    let answers = subscribed.map_err(|error| format!("could not pull from {queue}: {error}"))?;
    Ok((inbox, answers))
}

impl Pull<'_> {
    /// Asks for as many deliveries as slots are free: at once when nothing is owed, else when it is worth a request.
    async fn request(&mut self, inbox: &str) {
        let missing = self.slots.free().saturating_sub(self.owed);
        if missing == 0 || (self.owed > missing) || Instant::now() < self.not_before {
            return;
        }
        // What is published without a connection is all sent at the next one.
        if self.host.connection.client.connection_state() != State::Connected {
            self.not_before = Instant::now() + REFUSED_DELAY;
            return;
        }
        let request = serde_json::json!({ "batch": missing, "expires": REQUEST_EXPIRES.as_nanos() as u64 });
        let subject = self.host.connection.names.next_message(self.queue);
        let client = &self.host.connection.client;
        match client.publish_with_reply(subject, inbox.to_owned(), request.to_string().into()).await {
            Ok(()) => {
                self.owed += missing;
                self.lost_at = Instant::now() + REQUEST_LOST;
            }
            Err(error) => {
                tracing::warn!(queue = %self.queue, %error, "could not ask for jobs");
                self.not_before = Instant::now() + REFUSED_DELAY;
            }
        }
    }

    async fn answered(&mut self, message: async_nats::Message) {
        match message.status {
            None => {
                self.owed = self.owed.saturating_sub(1);
                let message = self.delivered(message);
                let (host, slots, created) = (self.host.clone(), self.slots.clone(), self.consumer.created);
                // Taken here and now: the next request counts what is free.
                let free = self.slots.try_take();
                self.host.tracker.spawn(async move {
                    let slot = match free {
                        Some(slot) => Some(slot),
                        None => slot_for(&host, &slots, &message).await,
                    };
                    if let Some(slot) = slot {
                        attempt(&host, message, created).await;
                        drop(slot);
                    }
                });
            }
            Some(StatusCode::IDLE_HEARTBEAT) => {}
            Some(status) => self.ended_short(status, &message).await,
        }
    }

    /// A request ended before all that it asked for had come.
    async fn ended_short(&mut self, status: StatusCode, message: &async_nats::Message) {
        let owed = message.headers.as_ref().and_then(|headers| headers.get(header::PENDING_MESSAGES));
        let owed = owed.and_then(|count| count.as_str().parse().ok()).unwrap_or(self.owed);
        self.owed = self.owed.saturating_sub(owed);
        if status == StatusCode::TIMEOUT || status == StatusCode::NOT_FOUND {
            return;
        }
        tracing::warn!(queue = %self.queue, %status, why = message.description.as_deref(), "a request for jobs ended");
        self.not_before = Instant::now() + REFUSED_DELAY;
        self.check_consumer().await;
    }

    /// It may have been made anew meanwhile: deliveries are compared by its creation.
    async fn check_consumer(&mut self) {
        match look_at_consumer(&self.host.connection, self.queue, self.host.config.ack_wait).await {
            Ok((consumer, _)) => self.consumer = consumer,
            Err(error) => tracing::warn!(queue = %self.queue, %error, "could not check the queue's consumer"),
        }
    }

    fn delivered(&self, message: async_nats::Message) -> Message {
        Message { message, context: self.host.connection.jetstream.clone() }
    }
}

/// A slot for a delivery. A request that counts as lost may be answered all the same, and bring more than there are slots:
/// those wait with beats, for given back they would count as deliveries that no host survived. None: it was given back,
/// since the host closes.
async fn slot_for(host: &Host, slots: &Slots, message: &Message) -> Option<Slot> {
    let mut slot = std::pin::pin!(slots.take());
    loop {
        tokio::select! {
            biased;
            slot = &mut slot => return Some(slot),
            () = host.closing.cancelled() => {
                settle(message, Settle::Nak(Duration::ZERO)).await;
                return None;
            }
            () = tokio::time::sleep(host.config.ack_wait / 3) => drop(in_progress(message).await),
        }
    }
}
