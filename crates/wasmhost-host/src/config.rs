//! What an operator may set on a host, and the check that all of it is within its bounds.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use wasmhost_nats::LayoutConfig;
use wasmhost_protocol::bounds::{GRACE, OutOfBounds};
use wasmhost_protocol::ids::QueueName;
use wasmhost_protocol::policy::Ceiling;
use wasmhost_sandbox::{Compiler, SandboxConfig};

use crate::bounds::{ACK_WAIT, MEMORY_BYTES, MEMORY_PERCENT, QUEUES, RECONCILE_AFTER, SLOTS, WEIGHT};

/// The settings of a host. They are made by [`HostConfig::new`] and changed field by field; flags, files and environment
/// variables are read by the command line.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HostConfig {
    /// The queues that the host serves, each with its weight: its share of the slots while several queues have jobs waiting.
    /// Bounded by [`QUEUES`] and [`WEIGHT`].
    pub queues: Vec<(QueueName, u32)>,
    /// The most attempts that run at a time, within [`SLOTS`].
    pub slots: u32,
    /// How long a drain waits for attempts that run, within [`GRACE`].
    pub grace: Duration,
    /// How long JetStream waits for a sign of life before it delivers a job again, within [`ACK_WAIT`]. All hosts of a queue
    /// have the same.
    pub ack_wait: Duration,
    /// How long a job must have been without a message before the reconciler ends it, within [`RECONCILE_AFTER`]. The
    /// host's own client publishes within half of it.
    pub reconcile_after: Duration,
    /// Whether a claim trusts the `Wasmhost-Revision` of a first delivery without reading the record
    /// ([R0](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r0)).
    pub trust_submitters: bool,
    /// The directory in which compiled modules are cached; none caches them nowhere.
    pub cache_dir: Option<PathBuf>,
    /// How modules are compiled.
    pub compiler: Compiler,
    /// The most that policies of modules and headers of jobs may ask for.
    pub ceiling: Ceiling,
    /// How much of the machine's memory all attempts together may have.
    pub memory: MemoryBudget,
    /// The most that the code and data of all loaded modules may take, in bytes.
    pub modules_bytes: u64,
    /// How streams and buckets are created where the deployment is not set up yet.
    pub layout: LayoutConfig,
}

/// How much of the machine's memory all attempts of a host together may have. Each attempt has its policy's limit reserved
/// while it runs. Most attempts use far less, so an operator who knows the modules may set more than the machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemoryBudget {
    /// A part of the machine's memory, or of the control group's that the host runs in, in hundredths; within
    /// [`MEMORY_PERCENT`].
    Percent(u32),
    /// A number of bytes, within [`MEMORY_BYTES`].
    Bytes(u64),
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self::Percent(80)
    }
}

impl HostConfig {
    /// Returns the default settings with this compiler. Modules come from strangers, so no compiler suits every program that
    /// embeds a host.
    #[must_use]
    pub fn new(compiler: Compiler) -> Self {
        Self {
            queues: vec![(QueueName::default_queue(), 1)],
            slots: default_slots(std::thread::available_parallelism().map_or(1, usize::from)),
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

/// The error of a configuration in which settings are out of their bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("configuration refused: {}", problems.join("; "))]
#[non_exhaustive]
pub struct BadConfig {
    /// One phrase for each setting that is out of its bounds; it begins with the setting's name.
    pub problems: Vec<String>,
}

impl HostConfig {
    /// Returns the settings of a sandbox with this many slots that compiles, caches and limits modules as the host's own does.
    #[must_use]
    pub fn sandbox_config(&self, slots: u32) -> SandboxConfig {
        let mut sandbox = SandboxConfig::new(slots, self.compiler.clone());
        sandbox.cache_dir = self.cache_dir.clone();
        sandbox.max_memory_bytes = self.ceiling.memory_bytes;
        sandbox.modules_bytes = self.modules_bytes;
        sandbox
    }

    /// Checks that every setting is within its bounds, and every queue is named once.
    ///
    /// # Errors
    ///
    /// [`BadConfig`] lists every setting that is not.
    pub fn check(&self) -> Result<(), BadConfig> {
        let weights = self.queues.iter().map(|(queue, weight)| {
            WEIGHT.check(*weight).err().map(|error| format!("the weight of queue `{queue}`: {error}"))
        });
        let named =
            |name: &str, held: Result<(), OutOfBounds>| held.err().map(|error| format!("{name}: {error}"));
        let settings = [
            named("queues", QUEUES.check(self.queues.len()).map(drop)),
            named("slots", SLOTS.check(self.slots).map(drop)),
            named("grace", GRACE.check(self.grace).map(drop)),
            named("ack_wait", ACK_WAIT.check(self.ack_wait).map(drop)),
            named("reconcile_after", RECONCILE_AFTER.check(self.reconcile_after).map(drop)),
            named("memory", self.memory.check()),
            self.ceiling.check().err().map(|error| format!("ceiling: {error}")),
            named("layout.replicas", LayoutConfig::REPLICAS.check(self.layout.replicas).map(drop)),
        ];
        let mut names = BTreeSet::new();
        let twice = self.queues.iter().map(|(queue, _)| {
            (!names.insert(queue)).then(|| format!("queues: queue `{queue}` is named twice"))
        });
        let problems: Vec<_> = settings.into_iter().chain(weights).chain(twice).flatten().collect();
        if problems.is_empty() { Ok(()) } else { Err(BadConfig { problems }) }
    }
}

impl MemoryBudget {
    fn check(self) -> Result<(), OutOfBounds> {
        match self {
            Self::Percent(percent) => MEMORY_PERCENT.check(percent).map(drop),
            Self::Bytes(bytes) => MEMORY_BYTES.check(bytes).map(drop),
        }
    }
}

/// Returns 64 slots for each core, within the bounds. An attempt mostly waits for the server's answers to its records, and few
/// slots would leave the cores idle meanwhile; many more would hold deliveries that other hosts could run.
fn default_slots(cores: usize) -> u32 {
    u32::try_from(cores).unwrap_or(u32::MAX).saturating_mul(64).min(SLOTS.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_slots_are_within_bounds_on_any_machine() {
        assert_eq!(default_slots(2), 128);
        for cores in [1, 156, 157, 192, 100_000_000] {
            SLOTS.check(default_slots(cores)).unwrap();
        }
    }

    fn config() -> HostConfig {
        HostConfig::new(Compiler::Child { exe: "wasmhost".into() })
    }

    #[test]
    fn a_queue_that_is_named_twice_is_refused() {
        let queue = |name: &str| (QueueName::parse(name).unwrap(), 1);
        let twice = HostConfig { queues: vec![queue("a"), queue("b"), queue("a")], ..config() };
        assert_eq!(twice.check().unwrap_err().problems, ["queues: queue `a` is named twice"]);
    }

    #[test]
    fn the_defaults_and_the_most_of_every_setting_are_within_bounds() {
        assert_eq!(config().check(), Ok(()));
        let queue = |number| (QueueName::parse(&format!("q{number}")).unwrap(), WEIGHT.max);
        let most = HostConfig {
            queues: (0..QUEUES.max).map(queue).collect(),
            slots: SLOTS.max,
            grace: GRACE.max,
            ack_wait: ACK_WAIT.max,
            reconcile_after: RECONCILE_AFTER.max,
            ceiling: Ceiling { memory_bytes: 4 << 30, ..Ceiling::default() },
            memory: MemoryBudget::Bytes(MEMORY_BYTES.max),
            ..config()
        };
        assert_eq!(most.check(), Ok(()));
        let weights: u32 = most.queues.iter().map(|(_, weight)| weight).sum();
        assert!(weights.checked_mul(1).is_some() && most.slots.checked_mul(WEIGHT.max).is_some());
    }

    #[test]
    fn every_setting_that_is_out_of_its_bounds_is_named() {
        let out_of_bounds = HostConfig {
            queues: vec![(QueueName::default_queue(), 0)],
            slots: 0,
            grace: Duration::MAX,
            ack_wait: Duration::ZERO,
            reconcile_after: Duration::MAX,
            ceiling: Ceiling { memory_bytes: 0, ..Ceiling::default() },
            memory: MemoryBudget::Percent(0),
            layout: LayoutConfig { replicas: 0, ..LayoutConfig::default() },
            ..config()
        };
        assert_eq!(out_of_bounds.check().unwrap_err().problems.len(), 8, "{:?}", out_of_bounds.check());
        assert_eq!(
            HostConfig { queues: Vec::new(), ..config() }.check().unwrap_err().to_string(),
            "configuration refused: queues: 0 is less than 1, the least that may be asked for"
        );
    }
}
