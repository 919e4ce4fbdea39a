//! `[ceiling.limits]` and `[ceiling.retry]` of a host's configuration: the most that policies and jobs may ask for.

use wasmhost_protocol::bounds;
use wasmhost_protocol::policy::Ceiling;

use crate::config::flag_values::{bytes, duration, number};

/// Reads a value into its place; an error says what is wrong with it.
type Put = fn(&mut Ceiling, &str) -> Result<(), String>;

/// The tables, with all of their keys.
pub(crate) const TABLES: [(&str, &[(&str, Put)]); 2] = [("limits", &LIMITS), ("retry", &RETRY)];

const LIMITS: [(&str, Put); 10] = [
    ("memory", |to, text| put(&mut to.memory_bytes, bytes(text, bounds::MEMORY_BYTES))),
    ("table-elements", |to, text| put(&mut to.table_elements, number(text, bounds::TABLE_ELEMENTS))),
    ("handles", |to, text| put(&mut to.handles, number(text, bounds::HANDLES))),
    ("cpu", |to, text| put(&mut to.cpu, duration(text, bounds::ATTEMPT))),
    ("soft-timeout", |to, text| put(&mut to.soft_timeout, duration(text, bounds::ATTEMPT))),
    ("timeout", |to, text| put(&mut to.timeout, duration(text, bounds::ATTEMPT))),
    ("result", |to, text| put(&mut to.result_bytes, bytes(text, bounds::BLOB_BYTES))),
    ("meta", |to, text| put(&mut to.meta_bytes, bytes(text, bounds::META_BYTES))),
    ("checkpoint", |to, text| put(&mut to.checkpoint_bytes, bytes(text, bounds::BLOB_BYTES))),
    ("updates-per-second", |to, text| {
        put(&mut to.updates_per_second, number(text, bounds::UPDATES_PER_SECOND))
    }),
];

const RETRY: [(&str, Put); 5] = [
    ("max-attempts", |to, text| put(&mut to.max_attempts, number(text, bounds::MAX_ATTEMPTS))),
    ("initial-delay", |to, text| put(&mut to.initial_delay, duration(text, bounds::RETRY_DELAY))),
    ("factor", |to, text| put(&mut to.factor, number(text, bounds::RETRY_FACTOR))),
    ("max-delay", |to, text| put(&mut to.max_delay, duration(text, bounds::RETRY_DELAY))),
    ("max-lost", |to, text| put(&mut to.max_lost, number(text, bounds::MAX_LOST))),
];

fn put<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    value.map(|value| *place = value)
}
