//! What all claims of a host share.

use std::time::Duration;

use wasmhost_protocol::ids::HostId;
use wasmhost_protocol::policy::Ceiling;

use super::module_version::ModuleVersions;
use super::quarantine::Quarantine;
use super::stale_deliveries::StaleDeliveryCounter;
use crate::backpressure::BlockedWrites;
use crate::life_cycle::LifeCycle;
use crate::running_leases::RunningLeases;
use crate::storage::Storage;

/// What all claims of a host share.
pub(crate) struct Claims {
    pub(super) parts: ClaimParts,
    pub(super) settings: ClaimSettings,
    pub(super) modules: ModuleVersions,
    pub(super) stale_deliveries: StaleDeliveryCounter,
    pub(super) quarantine: Quarantine,
}

/// The parts of the host that a claim needs.
pub(crate) struct ClaimParts {
    pub(crate) host: HostId,
    pub(crate) storage: Storage,
    pub(crate) life: LifeCycle,
    pub(crate) leases: RunningLeases,
    pub(crate) blocked_writes: BlockedWrites,
}

/// The settings of the host that a claim needs.
pub(crate) struct ClaimSettings {
    pub(crate) ack_wait: Duration,
    /// Whether the `Wasmhost-Revision` of a first delivery is trusted without reading the record.
    pub(crate) trust_submitters: bool,
    pub(crate) ceiling: Ceiling,
}

impl Claims {
    /// Creates what the claims of a host share; no claim was made yet.
    pub(crate) fn new(parts: ClaimParts, settings: ClaimSettings) -> Self {
        Self {
            modules: ModuleVersions::new(&parts.storage),
            parts,
            settings,
            stale_deliveries: StaleDeliveryCounter::default(),
            quarantine: Quarantine::new(),
        }
    }
}
