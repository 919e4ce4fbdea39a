//! How little and how much an operator may ask of a host. What jobs and modules may ask for is `wasmhost_protocol::bounds`.

use std::time::Duration;

use wasmhost_protocol::bounds::Bounds;

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
