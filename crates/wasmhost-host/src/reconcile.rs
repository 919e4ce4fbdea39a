//! The reconciler ends jobs whose message is gone, gives queues their consumers back and jobs their due messages, and removes
//! orphan blobs. One host of a deployment, which is elected, scans for all of them; each host looks after the consumers of its own
//! queues. That two scan at once for a moment does no harm, because each of their writes is a compare-and-set.
//!
//! It is safe because a terminal write precedes the removal of the message: if a record at some revision has not ended and its
//! message is gone, either the write over that revision fails, or no terminal write ever happened
//! ([R13](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r13)).

mod consumers;
mod due_leftovers;
mod missing_messages;
mod orphan_blobs;

use crate::host::Host;
use consumers::Consumers;
use due_leftovers::DueLeftovers;
use missing_messages::MissingMessages;
use orphan_blobs::OrphanBlobs;

/// The scans of the elected host, and what they remember from one to the next.
struct Scanner<'a> {
    due_leftovers: DueLeftovers<'a>,
    missing_messages: MissingMessages<'a>,
    orphan_blobs: OrphanBlobs<'a>,
}

/// Scans again and again until the host drains, at random intervals between half the grace and all of it.
pub(crate) async fn reconcile(host: &Host) {
    let grace = host.config.reconcile_after;
    let mut consumers = Consumers::new(host);
    let mut scanner = None;
    let mut scans = 0_u64;
    loop {
        // Hosts that start together must not scan together.
        let pause = grace.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = host.life.draining.cancelled() => return,
        }
        // What is cut short by the end of this host, another host does.
        tokio::select! {
            () = scan(host, &mut consumers, &mut scanner) => scans += 1,
            () = host.life.draining.cancelled() => return,
        }
        tracing::debug!(scans, elected = scanner.is_some(), "reconciled");
    }
}

/// Does what each host does, and scans for the deployment if this host is elected.
async fn scan<'a>(host: &'a Host, consumers: &mut Consumers<'a>, scanner: &mut Option<Scanner<'a>>) {
    let is_elected = host.election.is_won();
    consumers.check(is_elected).await;
    if let Err(error) = host.storage.bucket.inspect().await {
        tracing::warn!(%error, "could not inspect the bucket of records");
    }
    if is_elected {
        scanner.get_or_insert_with(|| Scanner::new(host)).scan().await;
    } else {
        // What it remembers is another host's to find out now.
        *scanner = None;
    }
}

impl<'a> Scanner<'a> {
    fn new(host: &'a Host) -> Self {
        Self {
            due_leftovers: DueLeftovers::new(host),
            missing_messages: MissingMessages::new(host),
            orphan_blobs: OrphanBlobs::new(host),
        }
    }

    /// Scans once for everything that the reconciler restores, ends or removes. A scan that fails says nothing, and keeps no other
    /// from its turn.
    async fn scan(&mut self) {
        if let Err(error) = self.due_leftovers.scan().await {
            tracing::warn!(%error, "could not scan for due messages that were left behind");
        }
        if let Err(error) = self.missing_messages.scan().await {
            tracing::warn!(%error, "could not scan for jobs whose message is gone");
        }
        if let Err(error) = self.orphan_blobs.scan().await {
            tracing::warn!(%error, "could not scan for blobs that no record names");
        }
    }
}
