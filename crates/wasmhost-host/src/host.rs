//! A host, put together from its parts. Each part knows the others that it needs and no more; the duties that run side by
//! side (pulling, services, presence, reconciling) are given the whole.

use tokio::runtime::Handle;
use wasmhost_nats::{Connection, now};
use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::text::format_size;
use wasmhost_protocol::timestamp::Timestamp;
use wasmhost_sandbox::{Sandbox, SandboxConfig, SandboxError};

use crate::backpressure::BlockedWrites;
use crate::claim::{ClaimParts, ClaimSettings, Claims};
use crate::complete::Completer;
use crate::config::HostConfig;
use crate::execute::Executor;
use crate::lease::LeaseTerms;
use crate::life_cycle::LifeCycle;
use crate::memory::Memory;
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

impl Host {
    /// Of a deployment that is set up, with these queues. Guests run on `guests`.
    pub(crate) fn new(
        connection: Connection,
        mut config: HostConfig,
        queues: Vec<Queue>,
        guests: Handle,
    ) -> Result<Self, SandboxError> {
        let slots = Slots::new(config.slots, config.memory);
        config.ceiling.memory_bytes = within(config.ceiling.memory_bytes, &slots.memory);
        let mut sandbox = SandboxConfig::new(config.slots, config.compiler.clone());
        sandbox.cache_dir = config.cache_dir.clone();
        sandbox.max_memory_bytes = config.ceiling.memory_bytes;
        sandbox.modules_bytes = config.modules_bytes;
        let id = wasmhost_nats::random_token().to_string();
        let id = HostId::parse(&id[..12]).expect("hexadecimal digits are a host id");
        let life = LifeCycle::default();
        let storage = Storage::new(connection, &life.closing);
        let leases = RunningLeases::default();
        let blocked_writes = BlockedWrites::default();
        let settings = ClaimSettings {
            ack_wait: config.ack_wait,
            trust_submitters: config.trust_submitters,
            ceiling: config.ceiling.clone(),
        };
        let shared = ClaimParts {
            host: id.clone(),
            storage: storage.clone(),
            life: life.clone(),
            leases: leases.clone(),
            blocked_writes: blocked_writes.clone(),
        };
        Ok(Self {
            id,
            started_at: now(),
            claims: Claims::new(shared, settings),
            lease_terms: LeaseTerms {
                storage: storage.clone(),
                leases: leases.clone(),
                ack_wait: config.ack_wait,
            },
            executor: Executor::new(&storage, &life, Sandbox::new(sandbox, guests)?),
            completer: Completer::new(&life, &blocked_writes),
            life,
            storage,
            queues,
            slots,
            leases,
            blocked_writes,
            config,
        })
    }
}

/// A ceiling that an attempt can have reserved: what is never free would be waited for in vain.
fn within(ceiling_bytes: u64, memory: &Memory) -> u64 {
    let largest = memory.largest_limit();
    if largest < ceiling_bytes {
        let (memory, largest) = (format_size(memory.total_bytes()), format_size(largest));
        tracing::warn!(
            memory,
            largest,
            "jobs have little memory together here (`--memory`): one whose module asks for more than the largest is refused"
        );
    }
    ceiling_bytes.min(largest)
}
