//! How little and how much an operator may ask of a host. What jobs and modules may ask for is `wasmhost_protocol::bounds`.

use std::time::Duration;

use wasmhost_nats::LayoutConfig;
use wasmhost_protocol::bounds::GRACE;
use wasmhost_protocol::bounds::{Bounds, OutOfBounds};

use crate::config::{HostConfig, MemoryBudget};

/// Slots: the pool reserves 8 GiB of addresses for each and maps six areas while it is used; ten thousand fit the addresses
/// of a process and Linux's default of 65,530 areas. Whoever needs more starts another host.
pub const SLOTS: Bounds<u32> = Bounds { least: 1, most: 10_000 };
/// Queues of one host: each is asked and looked after by a task of its own.
pub const QUEUES: Bounds<usize> = Bounds { least: 1, most: 256 };
/// The weight of a queue: the sum of all of a host's fits 32 bits.
pub const WEIGHT: Bounds<u32> = Bounds { least: 1, most: 1_000 };
/// Time without a sign of life: three beats of a third each must fit it, round trips and all; above it a dead host's jobs
/// would wait for days.
pub const ACK_WAIT: Bounds<Duration> =
    Bounds { least: Duration::from_secs(1), most: Duration::from_secs(24 * 3600) };
/// Grace of the reconciler, which looks about as often.
pub const RECONCILE_AFTER: Bounds<Duration> =
    Bounds { least: Duration::from_millis(100), most: Duration::from_secs(24 * 3600) };
/// Memory of all attempts, in hundredths of what there is: more than all of it for modules that use little of what they may.
pub const MEMORY_PERCENT: Bounds<u32> = Bounds { least: 1, most: 1_000 };
/// The same in bytes: one small guest with what its host needs for it, and more than machines have.
pub const MEMORY_BYTES: Bounds<u64> = Bounds { least: 32 << 20, most: 1 << 50 };

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

#[cfg(test)]
mod tests {
    use wasmhost_protocol::ids::QueueName;
    use wasmhost_protocol::policy::Ceiling;
    use wasmhost_sandbox::Compiler;

    use super::*;

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
