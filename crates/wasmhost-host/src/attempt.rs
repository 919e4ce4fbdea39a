//! One delivery from end to end: claim, run, decide, record, settle.

use async_nats::jetstream::Message;
use wasmhost_nats::fault;
use wasmhost_protocol::{Timestamp, decide};

use crate::claim::{Claimed, claim};
use crate::dead;
use crate::delivery::{Delivery, Unreadable};
use crate::host::Host;
use crate::lease::Attended;
use crate::settle::{Settle, settle};
use crate::start::start;

/// Takes a message through its attempt, if it may have one.
pub(crate) async fn attempt(host: &Host, message: Message, consumer_created: Timestamp) {
    let (delivery, bad) = match Delivery::parse(&host.connection.names, message, consumer_created) {
        Ok(delivery) => (delivery, None),
        Err(Unreadable::Header { delivery, why }) => (*delivery, Some(why.to_string())),
        Err(Unreadable::Subject { message, sequence, why }) => {
            let how = dead::bury_unreadable(host, &message, sequence, &why.to_string()).await;
            return settle(&message, how).await;
        }
        Err(Unreadable::Foreign(why)) => return tracing::error!(why, "a delivery that is not JetStream's"),
    };
    let mut lease = match claim(host, delivery, bad.as_deref()).await {
        Claimed::Granted(lease) => lease,
        Claimed::Not(delivery, how) => return settle(&delivery.message, how).await,
        Claimed::Adopted => return,
    };
    fault::point("after-claim");
    let starting = start(host, &lease);
    let Attended::Ended(outcome) = lease.attend(starting).await else { return };
    fault::point("after-run");
    let decision = decide(&lease.attempt(), &outcome);
    if fault::is_broken("ack-before-record") {
        settle(lease.message(), Settle::Ack).await;
    }
    let Some(how) = lease.record(decision, &outcome).await else { return };
    fault::point("after-record");
    settle(lease.message(), how).await;
}
