//! Standing for the election of the host that scans for the whole deployment: what there is to scan does not grow with the number of
//! hosts ([R13](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r13)).

use std::time::Duration;

use tokio::time::Instant;
use wasmhost_nats::{election, limited};

use crate::bounds::RECONCILE_AFTER;
use crate::host::Host;

/// The longest pause between two tries. The bucket of hosts forgets a lease that is not renewed for three times as long.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How many pauses a lease lasts.
const PAUSES_OF_LEASE: u32 = 3;

/// Stands for election again and again until the host drains, and gives the lease up then.
pub(crate) async fn stand(host: &Host) {
    let pause = (host.config.reconcile_after / 4).clamp(RECONCILE_AFTER.min / 4, LONGEST_PAUSE);
    let lease = pause * PAUSES_OF_LEASE;
    let connection = &host.storage.connection;
    loop {
        // The time before the try: the lease begins at some moment after it.
        let tried_at = Instant::now();
        match election::stand(connection, &host.id, lease).await {
            Ok(true) => host.election.set(Some(tried_at + lease)),
            Ok(false) => host.election.set(None),
            // A lease that was renewed before lasts until it lapses.
            Err(error) => limited!(warn, %error, "could not find out which host scans"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = host.life.draining.cancelled() => break,
        }
    }
    host.election.set(None);
    if let Err(error) = election::resign(connection, &host.id).await {
        tracing::debug!(%error, "could not give the scans up; another host takes them when the lease has lapsed");
    }
}
