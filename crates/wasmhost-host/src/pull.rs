//! Pulling: free slots ask for as many deliveries, of whichever queue has them. One request a queue is under way at a time, so
//! that a thousand hosts on a queue are a thousand requests at the server, and each delivery that is asked for has its slot.

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

use crate::host::Host;
use request::{Ended, Inspect, Request, Why};
use share::{Asked, Shares};
use wasmhost_nats::pull::{PullEnd, PullInbox};

/// Pauses after the server refused a request. Not all hosts' are the same: after a break they are all refused at once.
const REFUSED: Backoff = Backoff::between(Duration::from_millis(500), Duration::from_secs(8));

/// What pulling has of one queue.
struct Line {
    inbox: Option<PullInbox>,
    inspect: Inspect,
    /// Calls the request back that is under way.
    call_back: CancellationToken,
    refused: Backoff,
}

struct Pulling<'a> {
    host: &'a Arc<Host>,
    shares: Shares,
    lines: Vec<Line>,
    requests: FuturesUnordered<Pin<Box<dyn Future<Output = Ended> + Send + 'a>>>,
}

/// Pulls from all queues until the host closes.
pub(crate) async fn pull(host: &Arc<Host>) {
    let now = Instant::now();
    let mut pulling = Pulling {
        host,
        shares: Shares::new(host.queues.iter().map(|queue| queue.weight), now),
        lines: host.queues.iter().map(|_| Line::new()).collect(),
        requests: FuturesUnordered::new(),
    };
    loop {
        pulling.ask();
        let wakes_at = pulling.shares.wakes_at(Instant::now());
        // Dropping the other arms loses nothing: requests go on, and freed slots wait to be noticed.
        tokio::select! {
            Some(ended) = pulling.requests.next() => pulling.ended(ended),
            () = host.slots.freed() => {}
            () = sleep_until(wakes_at.unwrap_or(now)), if wakes_at.is_some() => {}
            () = host.life.closing.cancelled() => break,
        }
    }
    // What the server had sent by then goes back untouched.
    for line in &pulling.lines {
        line.call_back.cancel();
    }
    while pulling.requests.next().await.is_some() {}
}

impl Line {
    fn new() -> Self {
        Self { inbox: None, inspect: Inspect::NotNow, call_back: CancellationToken::new(), refused: REFUSED }
    }
}

impl Pulling<'_> {
    fn ask(&mut self) {
        let plan = self.shares.plan(self.host.slots.free(), Instant::now());
        // What waits at the server has memory that a job waits for here.
        let awaited = if self.host.slots.memory.is_awaited() { self.shares.standing() } else { Vec::new() };
        for at in plan.calls_back.into_iter().chain(awaited) {
            self.lines[at].call_back.cancel();
        }
        for (at, asked) in plan.asks {
            self.send(at, asked);
        }
    }

    fn send(&mut self, at: usize, asked: Asked) {
        let line = &mut self.lines[at];
        line.call_back = CancellationToken::new();
        let request = Request {
            host: self.host,
            lane: at,
            asked,
            slots: self.host.slots.take(asked.slots),
            inbox: line.inbox.take(),
            call_back: line.call_back.clone(),
            inspect: line.inspect,
        };
        self.requests.push(Box::pin(request.run()));
    }

    fn ended(&mut self, ended: Ended) {
        self.shares.ended(ended.lane, ended.delivered, ended.waiting);
        let line = &mut self.lines[ended.lane];
        line.inbox = ended.inbox;
        line.inspect = Inspect::NotNow;
        if ended.why == Why::Short(PullEnd::Failed) {
            // Its consumer may have been made anew: deliveries are compared by its creation.
            line.inspect = Inspect::First;
            self.shares.rest(ended.lane, Instant::now() + line.refused.delay());
        } else {
            line.refused = REFUSED;
        }
    }
}
