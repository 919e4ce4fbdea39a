//! The host's presence: one key in the hosts bucket, which expires when the host is gone.

use std::time::Duration;

use wasmhost_nats::{hosts, now};
use wasmhost_protocol::presence::HostPresence;

use crate::host::Host;

/// How often the presence is renewed. The bucket removes it after three times as long.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);

/// Renews the presence until the host drains, and then writes it once more. [`withdraw`] removes it at the end.
pub(crate) async fn announce(host: &Host) {
    // The first tick is at once: the host is seen as soon as it serves.
    let mut ticks = tokio::time::interval(HEARTBEAT_INTERVAL);
    loop {
        let draining = tokio::select! {
            _ = ticks.tick() => false,
            () = host.life.draining.cancelled() => true,
        };
        if let Err(error) = hosts::announce(&host.storage.connection, &presence(host, draining)).await {
            tracing::warn!(%error, "could not write the host's heartbeat");
        }
        if draining {
            return;
        }
    }
}

/// Removes the presence.
pub(crate) async fn withdraw(host: &Host) {
    if let Err(error) = hosts::withdraw(&host.storage.connection, &host.id).await {
        tracing::debug!(%error, "could not remove the host's heartbeat; it expires");
    }
}

fn presence(host: &Host, draining: bool) -> HostPresence {
    HostPresence {
        v: HostPresence::VERSION,
        id: host.id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: host.started_at,
        updated_at: now(),
        queues: host.config.queues.iter().map(|(queue, _)| queue.clone()).collect(),
        slots: host.config.slots,
        running: u32::try_from(host.leases.running()).unwrap_or(u32::MAX),
        draining,
        ready: !host.blocked_writes.any(),
    }
}
