//! Values of flags: texts that become addresses, sizes, numbers, durations, times and queues, each within its bounds.

mod address;
mod bounded;
mod queues;
mod size;
mod time;

pub(crate) use address::parse_url;
pub(crate) use bounded::{bytes, duration, number, parse_delay, parse_memory_budget, parse_result_ttl};
pub(crate) use queues::Queues;
pub(crate) use size::parse_bytes;
pub(crate) use time::When;
