//! Claiming a job for an attempt: what the protocol decides about a delivery is carried out here, and decided anew whenever
//! something else turns out to stand under the job's key. Nothing of the message is trusted or run before the claim is written.

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
