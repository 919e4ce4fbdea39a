//! The life of a host: it prepares, serves and drains. Built parts and a shutdown future come in.

use std::convert::Infallible;
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
use crate::{candidate, presence, pull, reconcile, services};

/// How long hand-offs may take when the grace period is over. What is not recorded by then is delivered again after `ack_wait`,
/// and counts as a lost claim.
const LEAVE_WITHIN: Duration = Duration::from_secs(20);

/// The reason for which a host cannot start, or had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A setting is out of its bounds.
    #[error(transparent)]
    Config(#[from] BadConfig),
    /// The server does not permit something that a host does.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// Streams or buckets have settings that the host cannot work with.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The edge connection, over which everything comes that strangers can send, cannot be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The sandbox cannot be set up.
    #[error("could not set up the sandbox")]
    Sandbox(#[from] SandboxError),
    /// A part that must run as long as the host serves has ended; the text says which failure ended it.
    #[error("the host cannot go on: {0}")]
    Ended(String),
}

/// Serves until `shutdown` resolves, then drains: the host takes no more work, waits the grace period for what runs, and hands
/// the rest off to other hosts. The caller's runtime does the NATS I/O; guests run on `guests`, a runtime of their own, so that
/// they delay neither a sign of life nor an acknowledgement.
///
/// # Errors
///
/// [`HostError`] says why the host could not start. Once it serves, only [`HostError::Ended`] occurs, and the host is drained
/// before it is returned.
pub async fn run<S>(
    connection: Connection,
    config: HostConfig,
    guests: Handle,
    shutdown: S,
) -> Result<(), HostError>
where
    S: Future<Output = ()>,
{
    let host = prepare(connection, config, guests).await?;
    let (supervisor, mut first_failure) = Supervisor::new(&host.life);
    // Dropping the other arms loses nothing: parts that are spawned run on, and those that are not have no work yet.
    let ended = tokio::select! {
        () = shutdown => Ok(()),
        Some(why) = first_failure.recv() => Err(HostError::Ended(why)),
        never = serve(&host, &supervisor) => match never {},
    };
    drain(&host).await;
    ended
}

/// Checks the settings and the server, sets up what is missing there, and builds the host. Nothing runs yet.
async fn prepare(connection: Connection, config: HostConfig, guests: Handle) -> Result<Arc<Host>, HostError> {
    config.check()?;
    connection.edge().await?;
    let names: Vec<_> = config.queues.iter().map(|(queue, _)| queue.clone()).collect();
    // Rights are checked before the deployment is set up: a denied request looks like a timeout, and says nothing.
    check_rights(&connection, &names).await?;
    let consumers = ensure_deployment(&connection, &config.layout, &names, config.ack_wait).await?;
    let queues = config.queues.iter().zip(&consumers);
    let queues = queues
        .map(|((name, weight), consumer)| Queue::new(name.clone(), *weight, config.ack_wait, consumer))
        .collect();
    let host = Host::new(connection, config, queues, guests)?;
    // An answer is no condition for the start: claims ask again before they need it.
    if let Err(error) = host.storage.bucket.inspect().await {
        tracing::warn!(%error, "could not inspect the bucket of records");
    }
    Ok(Arc::new(host))
}

/// Spawns the parts of the host, and then waits for ever: whoever calls it ends the host.
async fn serve(host: &Arc<Host>, supervisor: &Supervisor) -> Infallible {
    spawn_parts(host, supervisor).await;
    let memory = format_size(host.slots.memory.total_bytes());
    tracing::info!(host.id = %host.id, slots = host.config.slots, memory, "serving");
    std::future::pending().await
}

/// Spawns the parts that run side by side for as long as the host serves.
async fn spawn_parts(host: &Arc<Host>, supervisor: &Supervisor) {
    let registry = host.storage.registry.clone();
    let draining = host.life.draining.clone();
    supervisor.spawn("copy of the registry", async move { registry.run(draining).await });
    // Claims take their module from the copy of the registry: before it is loaded, each would ask the server.
    host.storage.registry.loaded().await;
    let revokes = host.clone();
    supervisor.spawn_fallible("listener for revokes", async move { listen_for_revokes(&revokes).await });
    let services = host.clone();
    supervisor.spawn_fallible("services", async move { services::serve(&services).await });
    let presence = host.clone();
    supervisor.spawn("heartbeat", async move { presence::announce(&presence).await });
    let candidate = host.clone();
    supervisor.spawn("election", async move { candidate::stand(&candidate).await });
    let reconciler = host.clone();
    supervisor.spawn("reconciler", async move { reconcile::reconcile(&reconciler).await });
    let puller = host.clone();
    supervisor.spawn("puller", async move { pull::pull(&puller).await });
}

/// Takes no more work, waits the grace period for what runs, and hands the rest off to other hosts
/// ([R11](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r11)).
async fn drain(host: &Host) {
    tracing::info!(running = host.leases.running(), grace = ?host.config.grace, "draining");
    host.life.draining.cancel();
    // The tracker can only be waited for once it is closed. Tasks may still be spawned on it.
    host.life.tracker.close();
    let idle = async {
        while host.leases.running() > 0 {
            host.leases.lease_ended().await;
        }
    };
    if tokio::time::timeout(host.config.grace, idle).await.is_err() {
        tracing::warn!(running = host.leases.running(), "the grace period is over; handing jobs off");
    }
    // Guests are stopped now, each attempt is recorded as a hand-off that is not charged, and its delivery given back.
    host.life.handing_off.cancel();
    if tokio::time::timeout(LEAVE_WITHIN, host.life.tracker.wait()).await.is_err() {
        tracing::error!(
            "the server does not take what is left to record; the next host will run those jobs again"
        );
    }
    presence::withdraw(host).await;
    // A settlement is not confirmed: a process that ends too early takes with it what was not sent yet.
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
