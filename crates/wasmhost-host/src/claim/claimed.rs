//! What comes of a claim, and of each step on the way to it.

use std::time::Duration;

use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::record::{Record, StoredEntry};

use super::quarantine::QuarantinePermit;
use crate::settle::Settlement;

/// What came of a claim.
pub(crate) enum Claimed {
    /// The attempt is this host's.
    Granted(Box<Grant>),
    /// It is not: settle the delivery so.
    Settle(Settlement),
    /// This host runs this very attempt already: the delivery belongs to its lease.
    RunsHere,
}

/// A claim that is recorded.
pub(crate) struct Grant {
    pub(crate) record: Record,
    pub(crate) revision: u64,
    /// The policy of the module's version that the job runs.
    pub(crate) policy: Policy,
    /// Of a job in quarantine: the next one may begin when it is dropped.
    pub(crate) quarantine: Option<QuarantinePermit>,
}

/// What follows from carrying a decision out.
pub(super) enum Step {
    Done(Claimed),
    /// Decide again, with what is stored now. `adopt`: the record is taken over although its delivery does not look older.
    DecideAgain {
        stored: StoredEntry,
        adopt: bool,
    },
    /// The server has no room for the record, or no right for its writer: hold the delivery, then decide again.
    Wait,
}

impl Claimed {
    /// For another host: this one closes.
    pub(super) fn give_back() -> Self {
        Self::Settle(Settlement::Nak(Duration::ZERO))
    }
}
