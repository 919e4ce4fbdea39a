//! Pulling: free slots ask for as many deliveries, of whichever queue has them. One request a queue is under way at a time, so
//! that a thousand hosts on a queue are a thousand requests at the server, and each delivery that is asked for has its slot.

mod request;
mod share;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::host::Host;
use request::{Ended, Inbox, Look, Request, Why};
use share::{Asked, Lane, plan, wakes_at};

/// A pause after the server refused a request.
const REFUSED_DELAY: Duration = Duration::from_millis(500);

/// What pulling has of one queue.
struct Line {
    inbox: Option<Inbox>,
    look: Look,
    /// Calls the request back that is under way.
    back: CancellationToken,
}

struct Pulling<'a> {
    host: &'a Host,
    lanes: Vec<Lane>,
    lines: Vec<Line>,
    requests: FuturesUnordered<Pin<Box<dyn Future<Output = Ended> + Send + 'a>>>,
}

/// Pulls from all queues until the host closes.
pub(crate) async fn pull(host: &Host) {
    let now = Instant::now();
    let mut pulling = Pulling {
        host,
        lanes: host.queues.iter().map(|queue| Lane::new(queue.weight, now)).collect(),
        lines: host.queues.iter().map(|_| Line::new()).collect(),
        requests: FuturesUnordered::new(),
    };
    loop {
        pulling.ask();
        let wakes_at = wakes_at(&pulling.lanes, Instant::now());
        // Dropping the other arms loses nothing: requests go on, and freed slots wait to be noticed.
        tokio::select! {
            Some(ended) = pulling.requests.next() => pulling.ended(ended),
            () = host.slots.freed() => {}
            () = sleep_until(wakes_at.unwrap_or(now)), if wakes_at.is_some() => {}
            () = host.closing.cancelled() => break,
        }
    }
    // What the server had sent by then goes back untouched.
    for line in &pulling.lines {
        line.back.cancel();
    }
    while pulling.requests.next().await.is_some() {}
}

impl Line {
    fn new() -> Self {
        Self { inbox: None, look: Look::NotNow, back: CancellationToken::new() }
    }
}

impl Pulling<'_> {
    fn ask(&mut self) {
        let plan = plan(&mut self.lanes, self.host.slots.free(), Instant::now());
        for at in plan.calls_back {
            self.lines[at].back.cancel();
        }
        for (at, asked) in plan.asks {
            self.send(at, asked);
        }
    }

    fn send(&mut self, at: usize, asked: Asked) {
        let line = &mut self.lines[at];
        line.back = CancellationToken::new();
        let request = Request {
            host: self.host,
            lane: at,
            asked,
            slots: self.host.slots.take(asked.slots),
            inbox: line.inbox.take(),
            back: line.back.clone(),
            look: line.look,
        };
        self.requests.push(Box::pin(request.run()));
    }

    fn ended(&mut self, ended: Ended) {
        let (lane, line) = (&mut self.lanes[ended.lane], &mut self.lines[ended.lane]);
        lane.ended(ended.delivered);
        lane.waiting = ended.waiting;
        line.inbox = ended.inbox;
        line.look = Look::NotNow;
        if ended.why == Why::Failed {
            // Its consumer may have been made anew: deliveries are compared by its creation.
            line.look = Look::First;
            lane.not_before = Instant::now() + REFUSED_DELAY;
        }
    }
}
