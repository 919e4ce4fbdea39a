//! The life of a host: prepare, serve, drain. Built parts and a shutdown future come in.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use wasmhost_nats::{ConnectError, Connection, LayoutError, RightsError, check_rights, ensure_deployment};
use wasmhost_protocol::text::format_size;
use wasmhost_sandbox::SandboxError;

use crate::config::{BadConfig, HostConfig};
use crate::host::Host;
use crate::queues::Queue;
use crate::revoke_broadcasts::listen_for_revokes;
use crate::supervise::Supervisor;
use crate::{presence, pull, reconcile, services};

/// How long hand-offs may take when the grace period is over.
const LEAVE_WITHIN: Duration = Duration::from_secs(20);

/// Why a host cannot start, or had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A setting that no host can have.
    #[error(transparent)]
    Config(#[from] BadConfig),
    /// The server does not permit what a host does.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// Streams and buckets are not as they must be.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The second connection, for what strangers send, cannot be made.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The sandbox cannot be set up.
    #[error("could not set up the sandbox")]
    Sandbox(#[from] SandboxError),
    /// A part that must run as long as the host ended.
    #[error("the host cannot go on: {0}")]
    Ended(String),
}

/// Serves until `shutdown` resolves, then drains: takes no more work, waits the grace period for what runs, hands the
/// rest off. Call it on the runtime for NATS I/O; guests run on `guests`.
pub async fn run<S>(
    connection: Connection,
    config: HostConfig,
    guests: Handle,
    shutdown: S,
) -> Result<(), HostError>
where
    S: Future<Output = ()>,
{
    config.check()?;
    connection.edge().await?;
    let names: Vec<_> = config.queues.iter().map(|(queue, _)| queue.clone()).collect();
    check_rights(&connection, &names).await?;
    let consumers = ensure_deployment(&connection, &config.layout, &names, config.ack_wait).await?;
    let queues = config.queues.iter().zip(&consumers);
    let queues = queues
        .map(|((name, weight), consumer)| Queue::new(name.clone(), *weight, config.ack_wait, consumer))
        .collect();
    let host = Arc::new(Host::new(connection, config, queues, guests)?);
    if let Err(error) = host.storage.bucket.inspect().await {
        tracing::warn!(%error, "could not inspect the bucket of records");
    }
    let (supervisor, mut first_failure) = Supervisor::new(&host.life);
    let serving = async {
        spawn_parts(&host, &supervisor).await;
        let memory = format_size(host.slots.memory.total_bytes());
        tracing::info!(host.id = %host.id, slots = host.config.slots, memory, "serving");
        std::future::pending().await
    };
    let ended = tokio::select! {
        () = shutdown => Ok(()),
        Some(why) = first_failure.recv() => Err(HostError::Ended(why)),
        ended = serving => ended,
    };
    drain(&host).await;
    ended
}

/// Spawns the parts that run side by side for as long as the host serves.
async fn spawn_parts(host: &Arc<Host>, supervisor: &Supervisor) {
    let registry = host.storage.registry.clone();
    let closing = host.life.closing.clone();
    supervisor.spawn(async move { registry.run(closing).await });
    // No delivery is asked for before the registry is known: each would look its module up by itself.
    host.storage.registry.loaded().await;
    let revokes = host.clone();
    supervisor.spawn_fallible(async move { listen_for_revokes(&revokes).await });
    let services = host.clone();
    supervisor.spawn_fallible(async move { services::serve(&services).await });
    let presence = host.clone();
    supervisor.spawn(async move { presence::announce(&presence).await });
    let reconciler = host.clone();
    supervisor.spawn(async move { reconcile::reconcile(&reconciler).await });
    let puller = host.clone();
    supervisor.spawn(async move { pull::pull(&puller).await });
}

/// Takes no more work, waits the grace period for what runs, and hands the rest off to other hosts.
async fn drain(host: &Host) {
    tracing::info!(running = host.leases.running(), grace = ?host.config.grace, "draining");
    host.life.closing.cancel();
    host.life.tracker.close();
    let idle = async {
        while host.leases.running() > 0 {
            host.leases.lease_ended().await;
        }
    };
    if tokio::time::timeout(host.config.grace, idle).await.is_err() {
        tracing::warn!(running = host.leases.running(), "the grace period is over; handing jobs off");
    }
    host.life.draining.cancel();
    if tokio::time::timeout(LEAVE_WITHIN, host.life.tracker.wait()).await.is_err() {
        tracing::error!("the server does not take what is left to record; leaving it to the next host");
    }
    presence::withdraw(host).await;
    if tokio::time::timeout(LEAVE_WITHIN, flush(&host.storage.connection)).await.is_err() {
        tracing::warn!("the server did not take the last answers in time");
    }
}

/// Waits until the server has what was sent to it last, on both connections.
async fn flush(connection: &Connection) {
    if let Err(error) = connection.flush().await {
        tracing::warn!(%error, "could not flush the last answers");
    }
    if let Ok(wire) = connection.edge().await
        && let Err(error) = wire.flush().await
    {
        tracing::warn!(%error, "could not flush the last answers to requests");
    }
}
