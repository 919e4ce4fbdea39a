//! One delivery from end to end: claim, run, decide, record, delete what fired it, settle.

use async_nats::jetstream::Message;
use wasmhost_nats::fault;
use wasmhost_protocol::{Timestamp, decide};

use crate::claim::{Claimed, claim};
use crate::dead;
use crate::delivery::{Delivery, Unreadable, fired};
use crate::due;
use crate::host::Host;
use crate::lease::{Attended, Lease};
use crate::settle::{Settle, settle};
use crate::start::start;

/// Takes a message through its attempt, if it may have one.
pub(crate) async fn attempt(host: &Host, message: Message, consumer_created: Timestamp) {
    let (delivery, bad) = match Delivery::parse(&host.connection.names, message, consumer_created) {
        Ok(delivery) => (delivery, None),
        Err(Unreadable::Header { delivery, why }) => (*delivery, Some(why.to_string())),
        Err(Unreadable::Subject { message, sequence, why }) => {
            let how = dead::bury_unreadable(host, &message, sequence, &why.to_string()).await;
            let fired = fired(&host.connection.names, &message);
            return settle(&message, due::before_settling(host, fired.as_ref(), None, how).await).await;
        }
        Err(Unreadable::Foreign(why)) => return tracing::error!(why, "a delivery that is not JetStream's"),
    };
    let mut lease = match claim(host, delivery, bad.as_deref()).await {
        Claimed::Granted(lease) => lease,
        Claimed::Not(delivery, how) => {
            let how = due::before_settling(host, delivery.fired.as_deref(), None, how).await;
            return settle(&delivery.message, how).await;
        }
        Claimed::Adopted => return,
    };
    fault::point("after-claim");
    let fired = lease.delivery.fired.clone();
    let (how, discarded) =
        tokio::join!(run_and_record(host, &mut lease), due::discard(host, fired.as_deref()));
    let Some(how) = how else { return };
    fault::point("after-record");
    let how = due::before_settling(host, lease.delivery.fired.as_deref(), discarded, how).await;
    settle(lease.message(), how).await;
}

/// The attempt up to its record. The way to settle; none where the record is another's.
async fn run_and_record(host: &Host, lease: &mut Lease) -> Option<Settle> {
    let starting = start(host, lease);
    let Attended::Ended(outcome) = lease.attend(starting).await else { return None };
    fault::point("after-run");
    let decision = decide(&lease.attempt(), &outcome);
    if fault::is_broken("ack-before-record") {
        settle(lease.message(), Settle::Ack).await;
    }
    lease.record(decision, &outcome).await
}
