//! An attempt of this host's at a job: its hold on record and delivery, its limits, and what it keeps beside the record.

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
    pub(crate) policy: Policy,
    pub(crate) checkpoints: Checkpoints,
    quarantine: Option<QuarantinePermit>,
    /// When a job in quarantine has lived for long enough.
    probation_ends_at: Instant,
}

impl Attempt {
    /// The attempt that a claim granted.
    pub(crate) fn new(terms: &LeaseTerms, held: HeldDelivery, grant: Grant) -> Self {
        let Grant { record, revision, policy, quarantine } = grant;
        let checkpoints = Checkpoints::new(record.checkpoint.clone());
        let lease = Lease::new(terms, held, record, revision);
        let probation_ends_at = Instant::now() + terms.ack_wait;
        Self { lease, policy, checkpoints, quarantine, probation_ends_at }
    }

    /// The wall limit: the job's own, never over the policy's.
    pub(crate) fn timeout(&self) -> Duration {
        let allowed = self.policy.limits.timeout;
        self.lease.delivery().options.timeout.map_or(allowed, |asked| asked.min(allowed))
    }

    /// How long the record of the job's end is kept, and with it the result.
    pub(crate) fn result_ttl(&self) -> Duration {
        self.policy.result_ttl(self.lease.delivery().options.result_ttl)
    }

    /// What the decision about its outcome needs to know.
    pub(crate) fn facts(&self, draining: bool) -> rules::Attempt<'_> {
        rules::Attempt {
            record: self.lease.record(),
            retry: &self.policy.retry,
            draining,
            jitter: fastrand::f64(),
        }
    }

    /// When the next job in quarantine may begin, because this one has shown that it lives; none where that is not so, or was
    /// done.
    pub(crate) fn probation_ends_at(&self) -> Option<Instant> {
        let ends = self.quarantine.as_ref().is_some_and(|permit| permit.ends_with_probation);
        ends.then_some(self.probation_ends_at)
    }

    /// Lets the next job in quarantine begin.
    pub(crate) fn end_probation(&mut self) {
        self.quarantine = None;
    }
}
