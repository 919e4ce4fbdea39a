//! One delivery from end to end: claim, run, decide, record, settle.

use std::pin::pin;

use futures::future::{Either, select};
use wasmhost_nats::{Connection, Delivered, fault};
use wasmhost_protocol::outcome::Outcome;
use wasmhost_protocol::rules::{Decision, decide};
use wasmhost_protocol::timestamp::Timestamp;

use crate::attempt::Attempt;
use crate::claim::Claimed;
use crate::dead_letter;
use crate::delivery::{Delivery, NotAJob};
use crate::due;
use crate::host::Host;
use crate::lease::{Fenced, HeldDelivery};
use crate::settle::{Settlement, settle};
use crate::slots::Slot;

/// Takes a message through its attempt, if it may have one. The slot is free again when it returns.
pub(crate) async fn process_delivery(
    host: &Host,
    message: Delivered,
    consumer_created: Timestamp,
    mut slot: Slot,
) {
    let connection = &host.storage.connection;
    let delivery = match Delivery::parse(&connection.names, message, consumer_created) {
        Ok(delivery) => delivery,
        Err(not_a_job) => return remove_unreadable(connection, &not_a_job).await,
    };
    // Until the claim is stored nothing of the message is decoded, loaded or run: a host that dies of it must leave a trace.
    let (claimed, held_since) = host.claims.claim(&delivery, &mut slot.memory).await;
    let grant = match claimed {
        Claimed::Granted(grant) => *grant,
        Claimed::Settle(settlement) => return settle_delivery(connection, &delivery, None, settlement).await,
        Claimed::RunsHere => return host.leases.adopt(delivery),
    };
    // From here on a host that dies has claimed the job: the next one counts the claim as lost.
    fault::point("after-claim");
    let held = HeldDelivery { delivery, since: held_since };
    let mut attempt = Box::new(Attempt::new(&host.lease_terms, held, grant));
    if let Some((settlement, discarded)) = run_and_record(host, &mut attempt).await {
        settle_delivery(connection, attempt.lease.delivery(), discarded, settlement).await;
    }
}

/// Runs the attempt and records what follows from its outcome. Returns how the delivery is settled, and the sequence of the
/// due message that was deleted meanwhile; none where nothing may be sent for the delivery, because another host holds the job
/// (JetStream obeys every answer of a superseded host) or this one leaves before the server took the outcome.
async fn run_and_record(host: &Host, attempt: &mut Attempt) -> Option<(Settlement, Option<u64>)> {
    let (outcome, discarded) = run(host, attempt).await.ok()?;
    // A host that dies here has recorded no outcome: the job runs again, and this claim counts as lost.
    fault::point("after-run");
    let decision = decide(&attempt.facts(host.life.handing_off.is_cancelled()), &outcome);
    if matches!(decision, Decision::Retry { .. }) {
        // The next attempt goes on from the checkpoint that the record names.
        Box::pin(attempt.checkpoints.flush(&mut attempt.lease, &host.life)).await.ok()?;
    }
    if fault::acks_before_record() {
        settle(&host.storage.connection, attempt.lease.message(), Settlement::Ack).await;
    }
    let settlement = host.completer.complete(attempt, decision, &outcome).await?;
    // A host that dies here leaves a message whose record says all: the next host settles it by that record, without a run.
    fault::point("after-record");
    Some((settlement, discarded))
}

/// Runs the attempt, and deletes the job's due message meanwhile. The deletion precedes the record of the end: a due message that
/// a server brings to the job stream again could otherwise come when the record has expired too. Returns the outcome, and the
/// sequence of the due message if it is deleted.
async fn run(host: &Host, attempt: &mut Attempt) -> Result<(Outcome, Option<u64>), Fenced> {
    let due = attempt.lease.delivery().due.clone();
    let mut discarding = pin!(due::discard(&host.storage.connection, due.as_deref()));
    // The future is boxed because the compiler follows nested futures only so deep.
    let running = Box::pin(host.executor.run(attempt));
    // Both are driven at once, so that a slow schedule stream holds up no guest.
    let (outcome, discarded) = match select(running, discarding.as_mut()).await {
        Either::Left((outcome, _)) => (outcome?, None),
        Either::Right((discarded, running)) => (running.await?, Some(discarded)),
    };
    let discarded = match discarded {
        Some(discarded) => discarded,
        None => attempt.lease.keep_alive_while(discarding).await,
    };
    Ok((outcome, discarded))
}

/// Settles a delivery. Where that removes the job's message, its due message is deleted first; `discarded` is the sequence of the
/// one that the attempt deleted already.
async fn settle_delivery(
    connection: &Connection,
    delivery: &Delivery,
    discarded: Option<u64>,
    settlement: Settlement,
) {
    let settlement = due::before_settling(connection, delivery.due.as_deref(), discarded, settlement).await;
    settle(connection, &delivery.message, settlement).await;
}

/// Removes a message whose subject names no job, once the dead letters have a copy of it.
async fn remove_unreadable(connection: &Connection, not_a_job: &NotAJob) {
    let NotAJob { message, why, due } = not_a_job;
    let settlement = dead_letter::dead_letter_unreadable(connection, message, &why.to_string()).await;
    let settlement = due::before_settling(connection, due.as_ref(), None, settlement).await;
    settle(connection, message, settlement).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of the future that a function returns.
    fn size_of_future<A, B, C, D, F: Future>(_: impl FnOnce(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn the_future_of_a_job_is_small() {
        fn check<'a>(_: &'a ()) -> usize {
            size_of_future::<&'a Host, Delivered, Timestamp, Slot, _>(process_delivery)
        }
        // It is made for each job. What few jobs await belongs into a box.
        let bytes = check(&());
        assert!(bytes <= 7 << 10, "{bytes} bytes");
    }
}
