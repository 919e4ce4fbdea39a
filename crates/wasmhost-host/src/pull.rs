//! Pulling: free slots ask for as many deliveries, of whichever queue has them
//! ([Slots](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#slots)). At most one request is under way at each
//! queue, so that a thousand hosts are a thousand requests at its consumer. Each delivery that is asked for has its slot.

mod request;
mod share;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use wasmhost_nats::Backoff;
use wasmhost_nats::pull::{PullEnd, PullInbox};

use crate::host::Host;
use request::{EndReason, Inspect, Request, RequestEnd};
use share::{RequestPlan, Shares};

/// The pauses after the server refused a request. They are random: after a break in the connection all hosts are refused at once.
const REFUSED: Backoff = Backoff::between(Duration::from_millis(500), Duration::from_secs(8));

/// What pulling keeps of one queue from one request to the next.
struct QueuePull {
    inbox: Option<PullInbox>,
    inspect: Inspect,
    /// Calls the request back that is under way.
    call_back: CancellationToken,
    refused: Backoff,
}

/// Pulling from all queues of a host. A queue is named by its index in [`Host::queues`].
struct Pulling<'a> {
    host: &'a Arc<Host>,
    shares: Shares,
    queues: Vec<QueuePull>,
    requests: FuturesUnordered<Pin<Box<dyn Future<Output = RequestEnd> + Send + 'a>>>,
}

/// Pulls from all queues until the host drains, and then until the requests that are under way have ended.
pub(crate) async fn pull(host: &Arc<Host>) {
    let now = Instant::now();
    let mut pulling = Pulling {
        host,
        shares: Shares::new(host.queues.iter().map(|queue| queue.weight), now),
        queues: host.queues.iter().map(|_| QueuePull::new()).collect(),
        requests: FuturesUnordered::new(),
    };
    loop {
        pulling.send_requests();
        let wakes_at = pulling.shares.wakes_at(Instant::now());
        // Dropping the other arms loses nothing: requests go on, and freed slots wait to be noticed.
        tokio::select! {
            Some(end) = pulling.requests.next() => pulling.request_ended(end),
            () = host.slots.changed() => {}
            () = sleep_until(wakes_at.unwrap_or(now)), if wakes_at.is_some() => {}
            () = host.life.draining.cancelled() => break,
        }
    }
    // Deliveries that the server had sent by then still arrive: each request gives its own back untouched.
    for queue in &pulling.queues {
        queue.call_back.cancel();
    }
    while pulling.requests.next().await.is_some() {}
}

impl QueuePull {
    fn new() -> Self {
        Self { inbox: None, inspect: Inspect::Skip, call_back: CancellationToken::new(), refused: REFUSED }
    }
}

impl Pulling<'_> {
    /// Sends the requests that the free slots allow, and calls those back whose slots or memory are needed elsewhere.
    fn send_requests(&mut self) {
        let plan = self.shares.plan(self.host.slots.free(), Instant::now());
        // A request that waits at the server holds memory that an attempt waits for here.
        let awaited =
            if self.host.slots.memory.has_waiters() { self.shares.waiting_requests() } else { Vec::new() };
        for index in plan.call_back.into_iter().chain(awaited) {
            self.queues[index].call_back.cancel();
        }
        for (index, request) in plan.requests {
            self.send(index, request);
        }
    }

    fn send(&mut self, queue_index: usize, plan: RequestPlan) {
        let queue = &mut self.queues[queue_index];
        // A token that was cancelled stays so: each request has its own.
        queue.call_back = CancellationToken::new();
        let request = Request {
            host: self.host,
            queue_index,
            mode: plan.mode,
            slots: self.host.slots.take(plan.slots),
            size: plan.slots,
            inbox: queue.inbox.take(),
            call_back: queue.call_back.clone(),
            inspect: queue.inspect,
        };
        self.requests.push(Box::pin(request.run()));
    }

    fn request_ended(&mut self, end: RequestEnd) {
        self.shares.request_ended(end.queue_index, end.delivered, end.pending);
        let queue = &mut self.queues[end.queue_index];
        queue.inbox = end.inbox;
        queue.inspect = Inspect::Skip;
        if end.reason == EndReason::Short(PullEnd::Failed) {
            // The consumer may have been recreated, and deliveries are compared by its creation.
            queue.inspect = Inspect::First;
            self.host.queues[end.queue_index].suspect();
            self.shares.pause(end.queue_index, Instant::now() + queue.refused.delay());
        } else {
            queue.refused = REFUSED;
        }
    }
}
