//! The reconciler (R13): ends jobs whose message is gone, gives queues their consumers back and jobs the message that fired,
//! and removes blobs that no record names. Every host has one; they need no leader, since each write is a compare-and-set.
//!
//! It is safe because a terminal write precedes the removal of the message (R7): where a record at some revision has not
//! ended and its message is gone, either the write over this revision fails, or no terminal write ever happened.

mod blobs;
mod gone;
mod left;

use std::time::Duration;

use wasmhost_nats::{LayoutError, look_at_consumer, restore_consumer};

use crate::host::{Host, random_fraction};
use blobs::Blobs;
use gone::Gone;
use left::Left;

/// Looks again and again until the host closes, at random intervals between half the grace and all of it.
pub(crate) async fn reconcile(host: &Host) {
    let grace = host.config.reconcile_after;
    let (mut left, mut gone, mut blobs) = (Left::new(host), Gone::new(host), Blobs::new(host));
    let mut looks = 0_u64;
    loop {
        let pause = grace.mul_f64(0.5 + random_fraction() / 2.0);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = host.closing.cancelled() => return,
        }
        // What is cut short by the end of the host, another host does.
        tokio::select! {
            () = look(host, &mut left, &mut gone, &mut blobs) => looks += 1,
            () = host.closing.cancelled() => return,
        }
        tracing::debug!(looks, "reconciled");
    }
}

async fn look(host: &Host, left: &mut Left<'_>, gone: &mut Gone<'_>, blobs: &mut Blobs<'_>) {
    check_consumers(host).await;
    if let Err(error) = left.look().await {
        tracing::warn!(%error, "could not look for what fired and was left behind");
    }
    if let Err(error) = gone.look().await {
        tracing::warn!(%error, "could not look for jobs whose message is gone");
    }
    if let Err(error) = blobs.look().await {
        tracing::warn!(%error, "could not look for blobs that no record names");
    }
}

/// A consumer that was deleted or changed would leave messages undelivered for ever.
async fn check_consumers(host: &Host) {
    let ack_wait: Duration = host.config.ack_wait;
    for (queue, _) in &host.config.queues {
        match look_at_consumer(&host.connection, queue, ack_wait).await {
            Ok((_, differences)) if differences.is_empty() => {}
            // An operator changes it host by host: making it anew would hand over what runs on the others.
            Ok((_, differences)) if differences.iter().all(|it| it.field == "ack_wait") => {
                let found = &differences[0].found;
                tracing::error!(%queue, found, "the queue's consumer has another ack_wait: start this host with it");
            }
            Ok((_, differences)) => {
                let error = LayoutError::Differs(differences);
                tracing::error!(%queue, %error, "the queue's consumer was changed; making it anew");
                if let Err(error) = restore_consumer(&host.connection, queue, ack_wait).await {
                    tracing::error!(%queue, %error, "could not make the queue's consumer anew");
                }
            }
            Err(error) => tracing::warn!(%queue, %error, "could not check the queue's consumer"),
        }
    }
}
