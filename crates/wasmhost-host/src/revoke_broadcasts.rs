//! Revokes that clients broadcast to all hosts, so that running guests hear of them within milliseconds.

use crate::host::Host;
use crate::running_leases::Wake;

/// The most broadcasts that wait in the subscription. When one is lost, the next beat of its lease finds the revoke.
const MAX_PENDING_BROADCASTS: usize = 4096;

/// Revokes reach running guests in milliseconds by a broadcast; a lost one is seen by the next beat.
pub(crate) async fn listen_for_revokes(host: &Host) -> Result<(), String> {
    let filter = host.storage.connection.names.revoke_broadcast_filter();
    let wire = host
        .storage
        .connection
        .edge()
        .await
        .map_err(|error| format!("could not listen for revokes: {error}"))?;
    let mut broadcasts = wire.subscribe(filter, None, MAX_PENDING_BROADCASTS).await;
    loop {
        let broadcast = tokio::select! {
            broadcast = broadcasts.next() => broadcast.ok_or("the subscription for revokes ended")?,
            () = host.life.draining.cancelled() => return Ok(()),
        };
        if let Ok(key) = host.storage.connection.names.parse_revoke_broadcast(&broadcast.subject) {
            host.leases.wake(&key, Wake::Refresh);
        }
    }
}
