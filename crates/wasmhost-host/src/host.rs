//! What every attempt of a host shares.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmhost_nats::{Connection, Records, RegistryView};
use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::timestamp::Timestamp;
use wasmhost_sandbox::Sandbox;

use crate::blocked_writes::BlockedWrites;
use crate::bucket::Bucket;
use crate::claim::{Lookups, StaleDeliveryCounter};
use crate::config::HostConfig;
use crate::loading::Loading;
use crate::quarantine::Quarantine;
use crate::queues::Queue;
use crate::running_leases::RunningLeases;
use crate::slots::Slots;

/// What every attempt of a host shares.
#[derive(Clone)]
pub(crate) struct Host(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) id: HostId,
    pub(crate) started_at: Timestamp,
    pub(crate) config: HostConfig,
    pub(crate) connection: Connection,
    pub(crate) records: Records,
    pub(crate) registry: RegistryView,
    pub(crate) sandbox: Sandbox,
    /// The queues that it serves.
    pub(crate) queues: Vec<Queue>,
    pub(crate) slots: Slots,
    /// The bucket of records.
    pub(crate) bucket: Bucket,
    pub(crate) leases: RunningLeases,
    pub(crate) stale_deliveries: StaleDeliveryCounter,
    pub(crate) lookups: Lookups,
    pub(crate) loading: Loading,
    pub(crate) quarantine: Quarantine,
    pub(crate) blocked_writes: BlockedWrites,
    /// Everything that this host spawns.
    pub(crate) tracker: TaskTracker,
    /// Set when the host stops taking work.
    pub(crate) closing: CancellationToken,
    /// Set when the grace period of a drain is over: guests stop, their jobs are handed off.
    pub(crate) draining: CancellationToken,
}

impl Host {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl std::ops::Deref for Host {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// A random number in 0.0..1.0.
pub(crate) fn random_fraction() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness the jitter is its mean: a delay, not a secret.
    if getrandom::fill(&mut bytes).is_err() {
        return 0.5;
    }
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}
