//! The reconciler (R13): ends jobs whose message is gone, gives queues their consumers back and jobs the message that fired,
//! and removes blobs that no record names. Every host has one; they need no leader, since each write is a compare-and-set.
//!
//! It is safe because a terminal write precedes the removal of the message (R7): where a record at some revision has not
//! ended and its message is gone, either the write over this revision fails, or no terminal write ever happened.

mod due_leftovers;
mod missing_messages;
mod orphan_blobs;

use wasmhost_nats::{LayoutError, restore_consumer};

use crate::host::Host;
use crate::queues::Queue;
use due_leftovers::DueLeftovers;
use missing_messages::MissingMessages;
use orphan_blobs::OrphanBlobs;

/// Looks again and again until the host closes, at random intervals between half the grace and all of it.
pub(crate) async fn reconcile(host: &Host) {
    let grace = host.config.reconcile_after;
    let (mut left, mut gone, mut blobs) =
        (DueLeftovers::new(host), MissingMessages::new(host), OrphanBlobs::new(host));
    let mut looks = 0_u64;
    loop {
        let pause = grace.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = host.life.closing.cancelled() => return,
        }
        // What is cut short by the end of the host, another host does.
        tokio::select! {
            () = look(host, &mut left, &mut gone, &mut blobs) => looks += 1,
            () = host.life.closing.cancelled() => return,
        }
        tracing::debug!(looks, "reconciled");
    }
}

async fn look(
    host: &Host,
    left: &mut DueLeftovers<'_>,
    gone: &mut MissingMessages<'_>,
    blobs: &mut OrphanBlobs<'_>,
) {
    check_consumers(host).await;
    if let Err(error) = host.storage.bucket.inspect().await {
        tracing::warn!(%error, "could not look at the bucket of records");
    }
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
    for served in &host.queues {
        let queue = &served.name;
        match served.inspect(&host.storage.connection).await {
            Ok(differences) if differences.is_empty() => {}
            // An operator changes it host by host: making it anew would hand over what runs on the others.
            Ok(differences) if differences.iter().all(|it| it.field == "ack_wait") => {
                let found = &differences[0].found;
                tracing::error!(%queue, found, "the queue's consumer has another ack_wait: start this host with it");
            }
            Ok(differences) => restore(host, served, &LayoutError::of_settings(differences)).await,
            Err(error @ LayoutError::Problems(_)) => restore(host, served, &error).await,
            Err(error) => tracing::warn!(%queue, %error, "could not check the queue's consumer"),
        }
    }
}

async fn restore(host: &Host, served: &Queue, error: &LayoutError) {
    let queue = &served.name;
    tracing::error!(%queue, %error, "the queue's consumer was changed; making it anew");
    match restore_consumer(&host.storage.connection, queue, host.config.ack_wait).await {
        Ok(consumer) => served.update(&consumer),
        Err(error) => tracing::error!(%queue, %error, "could not make the queue's consumer anew"),
    }
}
