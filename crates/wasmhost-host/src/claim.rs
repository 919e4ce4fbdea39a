//! Claiming a job for an attempt. The protocol decides what a delivery may do; the host carries that out, and asks again whenever
//! something else turns out to be stored under the job's key. Nothing of the message is decoded, loaded or run before the claim
//! is stored ([R2](https://github.com/wasmhost/wasmhost/blob/main/docs/protocol.md#r2)).

mod carry_out;
mod claimed;
mod claiming;
mod claims;
mod module_lookups;
mod module_version;
mod quarantine;
mod stale_deliveries;

pub(crate) use claimed::{Claimed, Grant};
pub(crate) use claims::{ClaimParts, ClaimSettings, Claims};
pub(crate) use quarantine::QuarantinePermit;
