//! What comes of a claim, and of each step on the way to it.

use std::sync::Arc;

use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{Record, StoredEntry};

use super::quarantine::QuarantinePermit;
use crate::settle::Settlement;

/// What came of a claim.
pub(crate) enum Claimed {
    /// The claim is recorded: the attempt is this host's.
    Granted(Box<Grant>),
    /// There is no attempt, and the delivery is settled like this.
    Settle(Settlement),
    /// This host runs the very attempt that the delivery asks for: its lease adopts the delivery.
    RunsHere,
}

/// A claim that is recorded.
pub(crate) struct Grant {
    pub(crate) record: Record,
    pub(crate) revision: u64,
    /// The policy of the module's version that the job runs.
    pub(crate) policy: Arc<Policy>,
    /// Held by a suspect until the next one may begin.
    pub(crate) quarantine: Option<QuarantinePermit>,
}

/// What follows after a decision was carried out.
pub(super) enum Step {
    /// The claim is over.
    Done(Claimed),
    /// Something else is stored now, and the protocol decides anew.
    DecideAgain {
        /// What is stored.
        stored: StoredEntry,
        /// Whether the claim adopts the record: it may take it over although its own delivery does not look newer.
        adopt: bool,
    },
    /// The server does not answer, or does not take the record: the delivery is held for a moment, and the protocol decides
    /// anew.
    Wait,
}

impl Step {
    /// The claim is over without an attempt.
    pub(super) fn settle(settlement: Settlement) -> Self {
        Self::Done(Claimed::Settle(settlement))
    }
}
