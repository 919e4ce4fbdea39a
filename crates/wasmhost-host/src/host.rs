//! A host, put together from its parts. Each part knows the others that it needs and no more; what runs side by side for as long
//! as the host serves (pulling, services, presence, reconciling) is given the whole host.

use tokio::runtime::Handle;
use wasmhost_nats::{Connection, now, random_token};
use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::text::format_size;
use wasmhost_protocol::timestamp::Timestamp;
use wasmhost_sandbox::{Sandbox, SandboxError};

use crate::backpressure::BlockedWrites;
use crate::claim::{ClaimParts, ClaimSettings, Claims};
use crate::complete::Completer;
use crate::config::HostConfig;
use crate::election::Election;
use crate::execute::Executor;
use crate::lease::LeaseTerms;
use crate::life_cycle::LifeCycle;
use crate::memory::Memory;
use crate::queues::Queue;
use crate::running_leases::RunningLeases;
use crate::slots::Slots;
use crate::storage::Storage;

/// The hexadecimal digits of a host's id, which is made at its start.
const ID_DIGITS: usize = 12;

/// A host: its settings, what it uses, and the parts that take a delivery from its claim to its record.
pub(crate) struct Host {
    pub(crate) id: HostId,
    pub(crate) started_at: Timestamp,
    /// The settings, with the ceiling lowered to what the host's memory can hold.
    pub(crate) config: HostConfig,
    pub(crate) life: LifeCycle,
    pub(crate) storage: Storage,
    /// The queues that the host serves, in the order of its settings.
    pub(crate) queues: Vec<Queue>,
    pub(crate) slots: Slots,
    pub(crate) leases: RunningLeases,
    pub(crate) blocked_writes: BlockedWrites,
    /// Whether this host scans for the deployment.
    pub(crate) election: Election,
    pub(crate) claims: Claims,
    pub(crate) lease_terms: LeaseTerms,
    pub(crate) executor: Executor,
    pub(crate) completer: Completer,
}

impl Host {
    /// Creates a host of a deployment that is set up, for queues whose consumers were inspected. Guests run on `guests`.
    pub(crate) fn new(
        connection: Connection,
        mut config: HostConfig,
        queues: Vec<Queue>,
        guests: Handle,
    ) -> Result<Self, SandboxError> {
        let slots = Slots::new(config.slots, config.memory);
        // The lowered ceiling is what claims compare with and what the sandbox allows: both take it from here.
        config.ceiling.memory_bytes = cap_to_memory(config.ceiling.memory_bytes, &slots.memory);
        let sandbox = Sandbox::new(config.sandbox_config(config.slots), guests)?;
        let id = new_id();
        let life = LifeCycle::default();
        let storage = Storage::new(connection, &life.draining);
        let leases = RunningLeases::default();
        let blocked_writes = BlockedWrites::default();
        let claim_parts = ClaimParts {
            host: id.clone(),
            storage: storage.clone(),
            life: life.clone(),
            leases: leases.clone(),
            blocked_writes: blocked_writes.clone(),
        };
        Ok(Self {
            id,
            started_at: now(),
            claims: Claims::new(claim_parts, claim_settings(&config)),
            lease_terms: LeaseTerms {
                storage: storage.clone(),
                leases: leases.clone(),
                ack_wait: config.ack_wait,
            },
            executor: Executor::new(&storage, &life, sandbox),
            completer: Completer::new(&life, &blocked_writes),
            config,
            life,
            storage,
            queues,
            slots,
            leases,
            blocked_writes,
            election: Election::default(),
        })
    }
}

fn new_id() -> HostId {
    let token = random_token().to_string();
    HostId::parse(&token[..ID_DIGITS]).expect("hexadecimal digits are a host id")
}

fn claim_settings(config: &HostConfig) -> ClaimSettings {
    ClaimSettings {
        ack_wait: config.ack_wait,
        trust_submitters: config.trust_submitters,
        ceiling: config.ceiling.clone(),
    }
}

/// Lowers the ceiling of an attempt's memory to what one attempt can have reserved: more is never free, and a job that waited
/// for it would wait for ever.
fn cap_to_memory(ceiling_bytes: u64, memory: &Memory) -> u64 {
    let largest = memory.largest_limit();
    if largest < ceiling_bytes {
        tracing::warn!(
            memory = format_size(memory.total_bytes()),
            largest = format_size(largest),
            "jobs have little memory together here (`--memory`): one whose module asks for more than the largest is refused"
        );
    }
    ceiling_bytes.min(largest)
}
