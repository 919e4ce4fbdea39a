//! An attempt of this host's at a job: its lease, the policy that limits it, and its checkpoints.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::rules;

use crate::checkpoints::Checkpoints;
use crate::claim::{Grant, QuarantinePermit};
use crate::lease::{HeldDelivery, Lease, LeaseTerms};

/// An attempt of this host's at a job.
pub(crate) struct Attempt {
    pub(crate) lease: Lease,
    /// The policy of the module's version that the job runs.
    pub(crate) policy: Arc<Policy>,
    pub(crate) checkpoints: Checkpoints,
    /// Held by a suspect until the next one may begin.
    quarantine: Option<QuarantinePermit>,
    probation_ends_at: Instant,
}

impl Attempt {
    /// Creates the attempt that a claim granted.
    pub(crate) fn new(terms: &LeaseTerms, held: HeldDelivery, grant: Grant) -> Self {
        let Grant { record, revision, policy, quarantine } = grant;
        let checkpoints = Checkpoints::new(record.checkpoint.clone());
        let lease = Lease::new(terms, held, record, revision);
        let probation_ends_at = Instant::now() + terms.ack_wait;
        Self { lease, policy, checkpoints, quarantine, probation_ends_at }
    }

    /// Returns the wall time that the attempt may take: what the job asks for, and never more than the policy allows.
    pub(crate) fn timeout(&self) -> Duration {
        let allowed = self.policy.limits.timeout;
        self.lease.delivery().options.timeout.map_or(allowed, |asked| asked.min(allowed))
    }

    /// Returns how long the terminal record is kept, and its result with it.
    pub(crate) fn result_ttl(&self) -> Duration {
        self.policy.result_ttl(self.lease.delivery().options.result_ttl)
    }

    /// Returns what the decision about the outcome takes into account.
    pub(crate) fn facts(&self, handing_off: bool) -> rules::Attempt<'_> {
        rules::Attempt {
            record: self.lease.record(),
            retry: &self.policy.retry,
            handing_off,
            jitter: fastrand::f64(),
        }
    }

    /// Returns when the attempt's probation ends and the next suspect may begin; none where the attempt is no suspect's, has no
    /// claim left to lose, or has ended its probation.
    pub(crate) fn probation_ends_at(&self) -> Option<Instant> {
        let ends = self.quarantine.as_ref().is_some_and(|permit| permit.ends_with_probation);
        ends.then_some(self.probation_ends_at)
    }

    /// Lets the next suspect begin.
    pub(crate) fn end_probation(&mut self) {
        self.quarantine = None;
    }
}
