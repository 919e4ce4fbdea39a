//! Revokes that clients broadcast to all hosts, so that running guests hear of them within milliseconds.

use crate::host::Host;
use crate::running_leases::Wake;

/// The most broadcasts that wait in the subscription. A broadcast only saves time: the next beat of the lease finds the revoke of
/// one that was dropped.
const MAX_PENDING_BROADCASTS: usize = 4096;

/// Wakes the leases of jobs whose revoke was broadcast, until the host hands its jobs off. While it drains, its guests still
/// run and must still hear of revokes.
pub(crate) async fn listen_for_revokes(host: &Host) -> Result<(), String> {
    let names = &host.storage.connection.names;
    let wire = host
        .storage
        .connection
        .edge()
        .await
        .map_err(|error| format!("could not listen for revokes: {error}"))?;
    let filter = names.revoke_broadcast_filter();
    let mut broadcasts = wire.subscribe(filter, None, MAX_PENDING_BROADCASTS).await;
    loop {
        let broadcast = tokio::select! {
            broadcast = broadcasts.next() => broadcast.ok_or("the subscription for revokes ended")?,
            () = host.life.handing_off.cancelled() => return Ok(()),
        };
        // The broadcast is not trusted: it only makes the lease read its record.
        if let Ok(key) = names.parse_revoke_broadcast(&broadcast.subject) {
            host.leases.wake(&key, Wake::Refresh);
        }
    }
}
