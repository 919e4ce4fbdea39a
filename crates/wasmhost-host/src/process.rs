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
use crate::lease::HeldDelivery;
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
        Err(message) => return remove_unreadable(connection, &message).await,
    };
    let (claimed, since) = host.claims.claim(&delivery, &mut slot.memory).await;
    let grant = match claimed {
        Claimed::Granted(grant) => *grant,
        Claimed::Settle(how) => return settle_delivery(connection, &delivery, None, how).await,
        Claimed::RunsHere => return host.leases.adopt(delivery),
    };
    fault::point("after-claim");
    let mut attempt = Attempt::new(&host.lease_terms, HeldDelivery { delivery, since }, grant);
    let Some((outcome, discarded)) = run(host, &mut attempt).await else { return };
    fault::point("after-run");
    let decision = decide(&attempt.facts(host.life.draining.is_cancelled()), &outcome);
    let is_retry = matches!(decision, Decision::Retry { .. });
    if is_retry && attempt.checkpoints.keep_newest(&mut attempt.lease, &host.life).await.is_err() {
        return;
    }
    if fault::acks_before_record() {
        settle(connection, attempt.lease.message(), Settlement::Ack).await;
    }
    let Some(how) = host.completer.complete(&mut attempt, decision, &outcome).await else { return };
    fault::point("after-record");
    settle_delivery(connection, attempt.lease.delivery(), discarded, how).await;
}

/// The run, and beside it the deletion of what fired, which precedes the record of the end: what a server brings again later
/// would find that the record has expired. The second value is the sequence of what was deleted. None where the record is
/// another's now.
async fn run(host: &Host, attempt: &mut Attempt) -> Option<(Outcome, Option<u64>)> {
    let due = attempt.lease.delivery().due.clone();
    let mut discarding = pin!(due::discard(&host.storage.connection, due.as_deref()));
    // In a box: the compiler follows nested futures only so deep.
    let running = Box::pin(host.executor.run(attempt));
    let (outcome, discarded) = match select(running, discarding.as_mut()).await {
        Either::Left((outcome, _)) => (outcome, None),
        Either::Right((discarded, running)) => (running.await, Some(discarded)),
    };
    let outcome = outcome.ok()?;
    let discarded = match discarded {
        Some(discarded) => discarded,
        None => attempt.lease.keep_while(discarding).await,
    };
    Some((outcome, discarded))
}

/// Settles a delivery. Where that removes its message, what it fired from is removed before it. `discarded` is what the attempt
/// removed already.
async fn settle_delivery(
    connection: &Connection,
    delivery: &Delivery,
    discarded: Option<u64>,
    how: Settlement,
) {
    let how = due::before_settling(connection, delivery.due.as_deref(), discarded, how).await;
    settle(connection, &delivery.message, how).await;
}

/// Removes a message that names no job, once the dead letters have a copy.
async fn remove_unreadable(connection: &Connection, not_a_job: &NotAJob) {
    let NotAJob { message, why, due: fired } = not_a_job;
    let how = dead_letter::dead_letter_unreadable(connection, message, &why.to_string()).await;
    let how = due::before_settling(connection, fired.as_ref(), None, how).await;
    settle(connection, message, how).await;
}
