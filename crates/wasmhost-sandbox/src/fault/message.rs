//! The messages of failed calls.

use wasmhost_protocol::outcome::Limit;
use wasmhost_protocol::policy::Limits;

use crate::guest::RESULT_BYTES;
use crate::refusals::Refused;

/// The message for a limit that was exceeded, with its value.
pub(super) fn limit_text(limits: &Limits, limit: Limit) -> String {
    match limit {
        Limit::Memory => format!("out of memory: the limit is {} bytes", limits.memory_bytes),
        Limit::Cpu => format!("CPU time is used up: the limit is {:?}", limits.cpu),
        Limit::Wall => format!("timed out after {:?}", limits.timeout),
        Limit::Fuel => "fuel is used up".to_owned(),
        Limit::Tables => format!("too many table elements: the limit is {}", limits.table_elements),
        Limit::Instances => {
            format!("too many instances or handles: the limit is {} handles", limits.handles)
        }
        Limit::Result => format!(
            "more values in one call than a host holds for a guest: {} MiB, and within the memory limit of {} bytes \
             together with the guest's own",
            RESULT_BYTES >> 20,
            limits.memory_bytes
        ),
    }
}

/// The message for memory or table elements that were refused.
pub(super) fn refusal_text(limits: &Limits, refused: Refused) -> String {
    match refused {
        Refused::Memory => limit_text(limits, Limit::Memory),
        Refused::MemoryByModule => {
            "out of memory: the module itself names a maximum, and reached it".to_owned()
        }
        Refused::MemoryByMachine => "the machine has no more memory".to_owned(),
        Refused::Tables => limit_text(limits, Limit::Tables),
    }
}
