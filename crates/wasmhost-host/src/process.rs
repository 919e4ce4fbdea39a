//! One delivery from end to end: claim, run, decide, record, settle.

use std::pin::pin;

use futures::future::{Either, select};
use wasmhost_nats::{Delivered, fault};
use wasmhost_protocol::outcome::Outcome;
use wasmhost_protocol::rules::{Decision, decide};
use wasmhost_protocol::timestamp::Timestamp;

use crate::claim::{Claimed, claim};
use crate::dead_letter;
use crate::delivery::{Delivery, Unreadable, fired};
use crate::due::{self, Fired};
use crate::host::Host;
use crate::lease::{Attended, Lease};
use crate::settle::{Settle, settle};
use crate::slots::Slot;
use crate::start::start;

/// Takes a message through its attempt, if it may have one. The slot is free again with its end.
pub(crate) async fn process_delivery(
    host: &Host,
    message: Delivered,
    consumer_created: Timestamp,
    mut slot: Slot,
) {
    let (delivery, bad) = match Delivery::parse(&host.connection.names, message, consumer_created) {
        Ok(delivery) => (delivery, None),
        Err(Unreadable::Headers { delivery, why }) => (*delivery, Some(why)),
        Err(Unreadable::Subject { message, why }) => {
            let how = dead_letter::dead_letter_unreadable(host, &message, &why.to_string()).await;
            let fired = fired(&host.connection.names, &message);
            let how = due::before_settling(host, fired.as_ref(), None, how).await;
            return settle(&host.connection, &message, how).await;
        }
    };
    let mut lease = match claim(host, delivery, bad.as_deref(), &mut slot.memory).await {
        Claimed::Granted(lease) => lease,
        Claimed::Not(delivery, how) => {
            let how = due::before_settling(host, delivery.fired.as_deref(), None, how).await;
            return settle(&host.connection, &delivery.message, how).await;
        }
        Claimed::Adopted => return,
    };
    fault::point("after-claim");
    let fired = lease.delivery.fired.clone();
    let Some((outcome, discarded)) = run(host, &mut lease, fired.as_deref()).await else { return };
    fault::point("after-run");
    let decision = decide(&lease.attempt(), &outcome);
    if matches!(decision, Decision::Retry { .. }) && lease.keep_checkpoint().await.is_err() {
        return;
    }
    if fault::is_broken("ack-before-record") {
        settle(&host.connection, lease.message(), Settle::Ack).await;
    }
    let Some(how) = lease.record(decision, &outcome).await else { return };
    fault::point("after-record");
    let how = due::before_settling(host, lease.delivery.fired.as_deref(), discarded, how).await;
    settle(&host.connection, lease.message(), how).await;
}

/// The run, and beside it the deletion of what fired, which precedes the record of the end: what a server brings again later
/// would find that the record has expired. None where the record is another's.
async fn run(host: &Host, lease: &mut Lease, fired: Option<&Fired>) -> Option<(Outcome, Option<u64>)> {
    let starting = start(host, lease);
    let mut discarding = pin!(due::discard(host, fired));
    // In a box: the compiler follows nested futures only so deep.
    let attending = Box::pin(lease.attend(starting));
    let (attended, discarded) = match select(attending, discarding.as_mut()).await {
        Either::Left((attended, _)) => (attended, None),
        Either::Right((discarded, attending)) => (attending.await, Some(discarded)),
    };
    let Attended::Ended(outcome) = attended else { return None };
    let discarded = match discarded {
        Some(discarded) => discarded,
        None => lease.hold_on_while(discarding).await,
    };
    Some((outcome, discarded))
}
