//! The life of a host: prepare, serve, drain. Built parts and a shutdown future come in.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmhost_nats::{
    ConnectError, Connection, LayoutError, Records, RegistryView, RightsError, check_rights,
    ensure_deployment, now,
};
use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::text::format_size;
use wasmhost_sandbox::{Sandbox, SandboxConfig, SandboxError};

use crate::blocked_writes::BlockedWrites;
use crate::bounds::BadConfig;
use crate::bucket::Bucket;
use crate::claim::{Lookups, StaleDeliveryCounter};
use crate::config::HostConfig;
use crate::host::{Host, Shared};
use crate::loading::Loading;
use crate::memory::Memory;
use crate::quarantine::Quarantine;
use crate::queues::Queue;
use crate::running_leases::{RunningLeases, Wake};
use crate::slots::Slots;
use crate::{endpoints, presence, pull, reconcile};

/// How long hand-offs may take when the grace period is over.
const LEAVE_WITHIN: Duration = Duration::from_secs(20);

/// Words of revokes that wait; a lost one is seen by the next beat.
const REVOKES: usize = 4096;

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
    let queues =
        queues.map(|((name, weight), consumer)| Queue::new(name.clone(), *weight, consumer)).collect();
    let host = new_host(connection, config, queues, guests)?;
    if let Err(error) = host.bucket.ask(&host).await {
        tracing::warn!(%error, "could not look at the bucket of records");
    }
    let (failed, mut failures) = tokio::sync::mpsc::channel(1);
    let serving = async {
        spawn_parts(&host, &failed).await;
        let memory = format_size(host.slots.memory.bytes());
        tracing::info!(host.id = %host.id, slots = host.config.slots, memory, "serving");
        std::future::pending().await
    };
    let ended = tokio::select! {
        () = shutdown => Ok(()),
        Some(why) = failures.recv() => Err(HostError::Ended(why)),
        ended = serving => ended,
    };
    drain(&host).await;
    ended
}

fn new_host(
    connection: Connection,
    mut config: HostConfig,
    queues: Vec<Queue>,
    guests: Handle,
) -> Result<Host, HostError> {
    let slots = Slots::new(config.slots, config.memory);
    config.ceiling.memory_bytes = within(config.ceiling.memory_bytes, &slots.memory);
    let mut sandbox = SandboxConfig::new(config.slots, config.compiler.clone());
    sandbox.cache_dir = config.cache_dir.clone();
    sandbox.max_memory_bytes = config.ceiling.memory_bytes;
    sandbox.modules_bytes = config.modules_bytes;
    let id = wasmhost_nats::random_token().to_string();
    let host = Shared {
        id: HostId::parse(&id[..12]).expect("hexadecimal digits are a host id"),
        started_at: now(),
        records: Records::new(&connection),
        registry: RegistryView::new(&connection),
        sandbox: Sandbox::new(sandbox, guests)?,
        queues,
        slots,
        bucket: Bucket::new(),
        leases: RunningLeases::default(),
        stale_deliveries: StaleDeliveryCounter::default(),
        lookups: Lookups::default(),
        loading: Loading::default(),
        quarantine: Quarantine::new(),
        blocked_writes: BlockedWrites::default(),
        tracker: TaskTracker::new(),
        closing: CancellationToken::new(),
        draining: CancellationToken::new(),
        connection,
        config,
    };
    Ok(Host::new(host))
}

/// A ceiling that an attempt can have reserved: what is never free would be waited for in vain.
fn within(ceiling_bytes: u64, memory: &Memory) -> u64 {
    let largest = memory.largest_limit();
    if largest < ceiling_bytes {
        let (memory, largest) = (format_size(memory.bytes()), format_size(largest));
        tracing::warn!(
            memory,
            largest,
            "jobs have little memory together here (`--memory`): one whose module asks for more than the largest is refused"
        );
    }
    ceiling_bytes.min(largest)
}

type Failed = tokio::sync::mpsc::Sender<String>;

async fn spawn_parts(host: &Host, failed: &Failed) {
    let registry = host.clone();
    part(host, failed, async move {
        registry.registry.run(registry.closing.clone()).await;
        Ok(())
    });
    host.registry.loaded().await;
    let revokes = host.clone();
    part(host, failed, async move { listen_for_revokes(&revokes).await });
    let services = host.clone();
    part(host, failed, async move { endpoints::serve(&services).await });
    let present = host.clone();
    part(host, failed, async move {
        presence::announce(&present).await;
        Ok(())
    });
    let reconciling = host.clone();
    part(host, failed, async move {
        reconcile::reconcile(&reconciling).await;
        Ok(())
    });
    let pulling = host.clone();
    part(host, failed, async move {
        pull::pull(&pulling).await;
        Ok(())
    });
}

/// Spawns a part that must run as long as the host; its failure ends the host.
fn part<F>(host: &Host, failed: &Failed, running: F)
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let failed = failed.clone();
    let closing = host.closing.clone();
    host.tracker.spawn(async move {
        let why = match AssertUnwindSafe(running).catch_unwind().await {
            Ok(Ok(())) if closing.is_cancelled() => return,
            Ok(Ok(())) => "a part of it ended by itself".to_owned(),
            Ok(Err(why)) => why,
            Err(_) => "a part of it panicked".to_owned(),
        };
        drop(failed.try_send(why));
    });
}

/// Revokes reach running guests in milliseconds by a broadcast; a lost one is seen by the next beat.
async fn listen_for_revokes(host: &Host) -> Result<(), String> {
    let filter = host.connection.names.revoke_broadcast_filter();
    let wire =
        host.connection.edge().await.map_err(|error| format!("could not listen for revokes: {error}"))?;
    let mut broadcasts = wire.subscribe(filter, None, REVOKES).await;
    loop {
        let broadcast = tokio::select! {
            broadcast = broadcasts.next() => broadcast.ok_or("the subscription for revokes ended")?,
            () = host.draining.cancelled() => return Ok(()),
        };
        if let Ok(key) = host.connection.names.parse_revoke_broadcast(&broadcast.subject) {
            host.leases.wake(&key, Wake::Refresh);
        }
    }
}

/// R11.
async fn drain(host: &Host) {
    tracing::info!(running = host.leases.running(), grace = ?host.config.grace, "draining");
    host.closing.cancel();
    host.tracker.close();
    let idle = async {
        while host.leases.running() > 0 {
            host.leases.changed().await;
        }
    };
    if tokio::time::timeout(host.config.grace, idle).await.is_err() {
        tracing::warn!(running = host.leases.running(), "the grace period is over; handing jobs off");
    }
    host.draining.cancel();
    if tokio::time::timeout(LEAVE_WITHIN, host.tracker.wait()).await.is_err() {
        tracing::error!("the server does not take what is left to record; leaving it to the next host");
    }
    presence::withdraw(host).await;
    if tokio::time::timeout(LEAVE_WITHIN, flush(&host.connection)).await.is_err() {
        tracing::warn!("the server did not take the last answers in time");
    }
}

/// Waits until the server has what was sent to it last, on both connections.
async fn flush(connection: &Connection) {
    if let Err(error) = connection.client.flush().await {
        tracing::warn!(%error, "could not flush the last answers");
    }
    if let Ok(wire) = connection.edge().await
        && let Err(error) = wire.flush().await
    {
        tracing::warn!(%error, "could not flush the last answers to requests");
    }
}
