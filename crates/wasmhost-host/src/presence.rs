//! The host's heartbeat: one key in the hosts bucket, which expires when the host is gone.

use std::time::Duration;

use wasmhost_nats::{hosts, now};
use wasmhost_protocol::presence::HostPresence;

use crate::host::Host;

/// How often it is written; the bucket forgets a host after three times that.
const EVERY: Duration = Duration::from_secs(10);

/// Writes the heartbeat until the host closes, then once more as draining; removed at the end by `withdraw`.
pub(crate) async fn announce(host: &Host) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        let draining = tokio::select! {
            _ = ticks.tick() => false,
            () = host.life.closing.cancelled() => true,
        };
        if let Err(error) = hosts::announce(&host.storage.connection, &present(host, draining)).await {
            tracing::warn!(%error, "could not write the host's heartbeat");
        }
        if draining {
            return;
        }
    }
}

/// Removes the heartbeat.
pub(crate) async fn withdraw(host: &Host) {
    if let Err(error) = hosts::withdraw(&host.storage.connection, &host.id).await {
        tracing::debug!(%error, "could not remove the host's heartbeat; it expires");
    }
}

fn present(host: &Host, draining: bool) -> HostPresence {
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
