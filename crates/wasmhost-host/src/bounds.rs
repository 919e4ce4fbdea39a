//! The least and the most that an operator may ask of a host. What jobs and modules may ask for is bounded by
//! [`wasmhost_protocol::bounds`].

use std::time::Duration;

use wasmhost_protocol::bounds::Bounds;

/// The number of slots. The sandbox's pool reserves 8 GiB of addresses for each slot and maps six areas while it is used: ten
/// thousand slots fit the address space of a process and Linux's default limit of 65,530 areas. An operator who needs more
/// starts another host.
pub const SLOTS: Bounds<u32> = Bounds { min: 1, max: 10_000 };
/// The number of queues. Each costs a pull request and inspections of its consumer.
pub const QUEUES: Bounds<usize> = Bounds { min: 1, max: 256 };
/// The weight of a queue. The sum over all queues of a host fits 32 bits.
pub const WEIGHT: Bounds<u32> = Bounds { min: 1, max: 1_000 };
/// The time without a sign of life after which a job is delivered again. Three beats, one in each third of it, must fit with
/// their round trips; above the most, the jobs of a dead host would wait for days.
pub const ACK_WAIT: Bounds<Duration> =
    Bounds { min: Duration::from_secs(1), max: Duration::from_secs(24 * 3600) };
/// The grace of the reconciler, which scans about as often.
pub const RECONCILE_AFTER: Bounds<Duration> =
    Bounds { min: Duration::from_millis(100), max: Duration::from_secs(24 * 3600) };
/// The memory of all attempts, in hundredths of the machine's. More than all of it suits modules that use little of their
/// limit.
pub const MEMORY_PERCENT: Bounds<u32> = Bounds { min: 1, max: 1_000 };
/// The memory of all attempts, in bytes: from one small guest with what its host needs for it, to more than any machine has.
pub const MEMORY_BYTES: Bounds<u64> = Bounds { min: 32 << 20, max: 1 << 50 };
