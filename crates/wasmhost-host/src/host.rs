//! A host, put together from its parts. Each part knows the others that it needs and no more; the duties that run side by
//! side (pulling, services, presence, reconciling) are given the whole.

use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::timestamp::Timestamp;

use crate::backpressure::BlockedWrites;
use crate::claim::Claims;
use crate::complete::Completer;
use crate::config::HostConfig;
use crate::execute::Executor;
use crate::lease::LeaseTerms;
use crate::life_cycle::LifeCycle;
use crate::queues::Queue;
use crate::running_leases::RunningLeases;
use crate::slots::Slots;
use crate::storage::Storage;

/// A host.
pub(crate) struct Host {
    pub(crate) id: HostId,
    pub(crate) started_at: Timestamp,
    pub(crate) config: HostConfig,
    pub(crate) life: LifeCycle,
    pub(crate) storage: Storage,
    /// The queues that it serves.
    pub(crate) queues: Vec<Queue>,
    pub(crate) slots: Slots,
    pub(crate) leases: RunningLeases,
    pub(crate) blocked_writes: BlockedWrites,
    pub(crate) claims: Claims,
    pub(crate) lease_terms: LeaseTerms,
    pub(crate) executor: Executor,
    pub(crate) completer: Completer,
}
