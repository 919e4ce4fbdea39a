//! One delivery from end to end: claim, run, decide, record, settle.

use wasmhost_nats::{Delivered, fault};
use wasmhost_protocol::{Decision, Timestamp, decide};

use crate::claim::{Claimed, claim};
use crate::dead;
use crate::delivery::{Delivery, Unreadable};
use crate::host::Host;
use crate::lease::Attended;
use crate::settle::{Settle, settle};
use crate::start::start;

/// Takes a message through its attempt, if it may have one.
pub(crate) async fn attempt(host: &Host, message: Delivered, consumer_created: Timestamp) {
    let (delivery, bad) = match Delivery::parse(&host.connection.names, message, consumer_created) {
        Ok(delivery) => (delivery, None),
        Err(Unreadable::Headers { delivery, why }) => (*delivery, Some(why)),
        Err(Unreadable::Subject { message, why }) => {
            let how = dead::bury_unreadable(host, &message, &why.to_string()).await;
            return settle(&host.connection, &message, how).await;
        }
    };
    let mut lease = match claim(host, delivery, bad.as_deref()).await {
        Claimed::Granted(lease) => lease,
        Claimed::Not(delivery, how) => return settle(&host.connection, &delivery.message, how).await,
        Claimed::Adopted => return,
    };
    fault::point("after-claim");
    let starting = start(host, &lease);
    let Attended::Ended(outcome) = lease.attend(starting).await else { return };
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
    settle(&host.connection, lease.message(), how).await;
}
