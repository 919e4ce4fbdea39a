//! What an operator may set.

use std::path::PathBuf;
use std::time::Duration;

use wasmhost_nats::LayoutConfig;
use wasmhost_protocol::bounds::{GRACE, OutOfBounds};
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::policy::Ceiling;
use wasmhost_sandbox::{Compiler, SandboxConfig};

use crate::bounds::{ACK_WAIT, MEMORY_BYTES, MEMORY_PERCENT, QUEUES, RECONCILE_AFTER, SLOTS, WEIGHT};

/// What an operator may set. Flags, files and the environment are the command line's.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// The queues that it serves, each with its share of the slots.
    pub queues: Vec<(QueueName, u32)>,
    /// Attempts at a time.
    pub slots: u32,
    /// How long a drain waits for what runs.
    pub grace: Duration,
    /// After this time without a beat JetStream delivers a job again.
    pub ack_wait: Duration,
    /// How long a job must have been without a message before it is ended (R13). Clients publish within half of it.
    pub reconcile_after: Duration,
    /// Whether a claim believes `Wasmhost-Revision` without a read (R0).
    pub trust_submitters: bool,
    /// Where compiled modules are kept; none: nowhere.
    pub cache_dir: Option<PathBuf>,
    /// How modules are compiled.
    pub compiler: Compiler,
    /// The most that policies of modules and headers of jobs may ask for.
    pub ceiling: Ceiling,
    /// What all attempts together may have of the machine's memory.
    pub memory: MemoryBudget,
    /// The most that the code and data of all loaded modules may have, in bytes.
    pub modules_bytes: u64,
    /// Streams and buckets as they are made at the first start.
    pub layout: LayoutConfig,
}

/// What all attempts of a host together may have of the machine's memory. Each has its policy's limit reserved while it runs,
/// and most use far less: more than there is may be given away by whoever knows their modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryBudget {
    /// This part of what the machine has, or the control group that the host runs in, in hundredths.
    Percent(u32),
    /// So many bytes.
    Bytes(u64),
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self::Percent(80)
    }
}

impl HostConfig {
    /// What is usual, with this compiler: modules come from strangers, so there is none that would do for everybody.
    #[must_use]
    pub fn new(compiler: Compiler) -> Self {
        Self {
            queues: vec![(QueueName::default_queue(), 1)],
            slots: usual_slots(std::thread::available_parallelism().map_or(1, usize::from)),
            grace: Duration::from_secs(30),
            ack_wait: Duration::from_secs(30),
            reconcile_after: Duration::from_secs(60),
            trust_submitters: true,
            cache_dir: None,
            compiler,
            ceiling: Ceiling::default(),
            memory: MemoryBudget::default(),
            modules_bytes: SandboxConfig::MODULES_BYTES,
            layout: LayoutConfig::default(),
        }
    }
}

/// Settings beside their bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("configuration refused: {}", problems.join("; "))]
pub struct BadConfig {
    /// One phrase each, with the setting's name.
    pub problems: Vec<String>,
}

impl HostConfig {
    /// All that is beside its bounds.
    pub fn check(&self) -> Result<(), BadConfig> {
        let queues = self.queues.iter().map(|(queue, weight)| {
            WEIGHT.hold(*weight).err().map(|error| format!("the weight of queue `{queue}`: {error}"))
        });
        let named = |name: &str, held: Result<(), OutOfBounds>| held.err().map(|it| format!("{name}: {it}"));
        let settings = [
            named("queues", QUEUES.hold(self.queues.len()).map(drop)),
            named("slots", SLOTS.hold(self.slots).map(drop)),
            named("grace", GRACE.hold(self.grace).map(drop)),
            named("ack_wait", ACK_WAIT.hold(self.ack_wait).map(drop)),
            named("reconcile_after", RECONCILE_AFTER.hold(self.reconcile_after).map(drop)),
            named("memory", self.memory.hold()),
            self.ceiling.check().err().map(|error| format!("ceiling: {error}")),
            named("layout.replicas", LayoutConfig::REPLICAS.hold(self.layout.replicas).map(drop)),
        ];
        let problems: Vec<_> = settings.into_iter().chain(queues).flatten().collect();
        if problems.is_empty() { Ok(()) } else { Err(BadConfig { problems }) }
    }
}

impl MemoryBudget {
    fn hold(self) -> Result<(), OutOfBounds> {
        match self {
            Self::Percent(percent) => MEMORY_PERCENT.hold(percent).map(drop),
            Self::Bytes(bytes) => MEMORY_BYTES.hold(bytes).map(drop),
        }
    }
}

/// 64 a core, as far as a host may have them.
fn usual_slots(cores: usize) -> u32 {
    u32::try_from(cores).unwrap_or(u32::MAX).saturating_mul(64).min(SLOTS.most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_slots_are_allowed_on_any_machine() {
        assert_eq!(usual_slots(2), 128);
        for cores in [1, 156, 157, 192, 100_000_000] {
            SLOTS.hold(usual_slots(cores)).unwrap();
        }
    }

    fn usual() -> HostConfig {
        HostConfig::new(Compiler::Child { exe: "wasmhost".into() })
    }

    #[test]
    fn the_default_and_every_bound_may_be_asked_for() {
        assert_eq!(usual().check(), Ok(()));
        let queue = |number| (QueueName::parse(&format!("q{number}")).unwrap(), WEIGHT.most);
        let most = HostConfig {
            queues: (0..QUEUES.most).map(queue).collect(),
            slots: SLOTS.most,
            grace: GRACE.most,
            ack_wait: ACK_WAIT.most,
            reconcile_after: RECONCILE_AFTER.most,
            ceiling: Ceiling { memory_bytes: 4 << 30, ..Ceiling::default() },
            memory: MemoryBudget::Bytes(MEMORY_BYTES.most),
            ..usual()
        };
        assert_eq!(most.check(), Ok(()));
        let weights: u32 = most.queues.iter().map(|(_, weight)| weight).sum();
        assert!(weights.checked_mul(1).is_some() && most.slots.checked_mul(WEIGHT.most).is_some());
    }

    #[test]
    fn all_that_is_beside_its_bounds_is_named_together() {
        let beside = HostConfig {
            queues: vec![(QueueName::default_queue(), 0)],
            slots: 0,
            grace: Duration::MAX,
            ack_wait: Duration::ZERO,
            reconcile_after: Duration::MAX,
            ceiling: Ceiling { memory_bytes: 0, ..Ceiling::default() },
            memory: MemoryBudget::Percent(0),
            layout: LayoutConfig { replicas: 0, ..LayoutConfig::default() },
            ..usual()
        };
        assert_eq!(beside.check().unwrap_err().problems.len(), 8, "{:?}", beside.check());
        assert_eq!(
            HostConfig { queues: Vec::new(), ..usual() }.check().unwrap_err().to_string(),
            "configuration refused: queues: 0 is less than 1, the least that may be asked for"
        );
    }
}
