//! The model: a scenario, with or without a mutant, and the steps that a state allows.

use std::time::Duration;

use crate::digest::Digest;
use crate::ids::{HostId, JobKey, QueueName};
use crate::machine::{Claim, JobSpec};
use crate::policy::RetryPolicy;
use crate::record::{DeliveryOrdinal, Marker, Record, StoredEntry};
use crate::timestamp::Timestamp;

use crate::model::clock;
use crate::model::mutants::Mutant;
use crate::model::records::{Ghost, InternedRecord, RecordId, Records, token};
use crate::model::scenarios::Scenario;
use crate::model::world::{Budgets, Deletion, ForeignValue, Host, Message, World};

/// The most deliveries of one message by one consumer. A search that comes to this number says so.
pub(super) const MAX_DELIVERIES: u8 = 90;

/// One step from a state to another one.
pub(super) struct Step {
    /// What happens in the step, where labels are wanted.
    pub(super) label: String,
    pub(super) to: World,
    pub(super) cause: Cause,
    /// The invariants that the step violates.
    pub(super) violations: Vec<String>,
}

/// Why a step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The step is the work of a participant, and is taken in the end if nothing else is.
    Work,
    /// The step takes a fault, or somebody's wish.
    Chance,
}

pub(super) struct Model {
    pub(super) scenario: Scenario,
    pub(super) mutant: Option<Mutant>,
    pub(super) records: Records,
    pub(super) steps: Vec<Step>,
    /// The invariants that the step violates which is being made.
    pub(super) violations: Vec<String>,
    /// Whether labels are wanted.
    pub(super) describe: bool,
    /// Whether a message was delivered as often as the model counts.
    pub(super) capped: bool,
    claim: Claim,
}

impl Model {
    pub(super) fn new(scenario: Scenario, mutant: Option<Mutant>) -> Self {
        let claim = blank_claim(&scenario);
        let mut model = Self {
            scenario,
            mutant,
            records: Records::default(),
            steps: Vec::new(),
            violations: Vec::new(),
            describe: false,
            capped: false,
            claim,
        };
        model.scenario.trust |= mutant == Some(Mutant::TrustsLiars);
        model
    }

    pub(super) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Returns all steps from a state.
    pub(super) fn steps(&mut self, world: &World) -> Vec<Step> {
        self.server_steps(world);
        self.delivery_steps(world);
        for at in 0..world.hosts.len() {
            self.host_steps(world, at);
        }
        for at in 0..world.clients.len() {
            self.client_steps(world, at);
        }
        self.revoker_steps(world);
        for at in 0..world.reconcilers.len() {
            self.reconciler_steps(world, at);
        }
        std::mem::take(&mut self.steps)
    }

    pub(super) fn step(&mut self, cause: Cause, to: World, label: impl FnOnce() -> String) {
        let label = if self.describe { label() } else { String::new() };
        let violations = std::mem::take(&mut self.violations);
        self.steps.push(Step { label, to, cause, violations });
    }

    pub(super) fn interned(&self, record_id: RecordId) -> &InternedRecord {
        self.records.get(record_id)
    }

    pub(super) fn record(&self, record_id: RecordId) -> &Record {
        &self.records.get(record_id).record
    }

    pub(super) fn intern(&mut self, record: Record, ghost: Ghost) -> RecordId {
        self.records.intern(record, ghost)
    }

    /// Returns the smallest number that is used nowhere, which stands for new random bits: nobody who takes
    /// part could tell the two apart.
    pub(super) fn fresh_number(&self, world: &World) -> u8 {
        let mut used = 1_u128;
        let written = world
            .in_flight
            .iter()
            .map(|write| write.record_id)
            .chain([world.record_id, world.revoker.write.record_id]);
        let intended = world
            .clients
            .iter()
            .map(|client| client.record_id)
            .chain(world.hosts.iter().map(|host| host.record_id));
        for interned in written.chain(intended).flatten().map(|record_id| self.interned(record_id)) {
            used |= 1 << interned.token | 1 << interned.write | 1 << interned.ghost.claim;
        }
        for host in world.hosts.iter() {
            used |= 1 << host.token | 1 << host.claim;
        }
        u8::try_from(used.trailing_ones()).expect("fewer ids than bits")
    }

    /// Returns the stored entry that a read of the key finds.
    pub(super) fn stored_entry(&self, world: &World) -> StoredEntry {
        let revision = u64::from(world.revision);
        if let Some(foreign) = world.foreign {
            return match foreign {
                ForeignValue::Unreadable => StoredEntry::Unreadable { revision, why: "not JSON".to_owned() },
                ForeignValue::Newer => StoredEntry::Newer { revision, version: 9 },
            };
        }
        if let Some(record_id) = world.record_id {
            return StoredEntry::Record { record: Box::new(self.record(record_id).clone()), revision };
        }
        match world.marker {
            None => StoredEntry::Absent,
            Some(Deletion::Expired { ended, short_lived }) => StoredEntry::Deleted(Marker {
                revision,
                at: clock::expired(ended, short_lived),
                expired: true,
            }),
            Some(Deletion::Deleted) => {
                StoredEntry::Deleted(Marker { revision, at: clock::written(world.revision), expired: false })
            }
        }
    }

    /// Returns what a message says of its job.
    pub(super) fn submission(&self, world: &World, message: &Message) -> JobSpec {
        let is_raw = message.publish.revision == 0;
        JobSpec {
            submitted_at: if is_raw {
                clock::stored(message.stored_after)
            } else {
                clock::submitted(message.publish.submitted)
            },
            expires_at: self.expires_at(world),
            args_digest: Some(args(message.publish.args)),
            ..self.claim.job.clone()
        }
    }

    pub(super) fn expires_at(&self, world: &World) -> Option<Timestamp> {
        let at = if world.expired { clock::passed() } else { clock::ahead() };
        self.scenario.expires.then_some(at)
    }

    /// Returns the claim that a host would make, with the given number in its token.
    pub(super) fn claim(&self, world: &World, host: &Host, number: u8) -> Claim {
        let number = if self.is(Mutant::CountIsTheToken) { host.message.count } else { number };
        Claim {
            job: self.submission(world, &host.message),
            token: token(number),
            msg_seq: u64::from(host.message.seq),
            delivery: delivery(host),
            adopt: host.adopt,
            ..self.claim.clone()
        }
    }

    pub(super) fn blank_submission(&self) -> JobSpec {
        self.claim.job.clone()
    }
}

pub(super) fn delivery(host: &Host) -> DeliveryOrdinal {
    DeliveryOrdinal { created: clock::stored(host.consumer), count: u64::from(host.message.count) }
}

/// Returns the digest of the arguments of a number.
pub(super) fn args(number: u8) -> Digest {
    Digest::from_bytes([number; 32])
}

/// Returns the state with one less of a budget, or `None` where nothing is left of it.
pub(super) fn spend(world: &World, budget: impl FnOnce(&mut Budgets) -> &mut u8) -> Option<World> {
    let mut after = *world;
    let budgets = budget(&mut after.budgets);
    *budgets = budgets.checked_sub(1)?;
    Some(after)
}

pub(super) fn retry_policy(scenario: &Scenario) -> RetryPolicy {
    RetryPolicy {
        max_attempts: Some(scenario.max_attempts),
        max_lost: scenario.max_lost,
        initial_delay: Duration::from_secs(1),
        ..RetryPolicy::default()
    }
}

fn blank_claim(scenario: &Scenario) -> Claim {
    let job = JobSpec {
        key: JobKey::parse("m.f.1").expect("a key"),
        queue: QueueName::default_queue(),
        submitted_at: clock::stored(0),
        not_before: None,
        expires_at: None,
        max_attempts: None,
        args_digest: None,
        digest: None,
        parent: None,
        notify: None,
        after: None,
    };
    let policy = retry_policy(scenario);
    Claim {
        job,
        host: HostId::parse("h").expect("a host id"),
        token: token(0),
        msg_seq: 0,
        delivery: DeliveryOrdinal { created: clock::stored(0), count: 0 },
        digest: None,
        max_attempts: policy.max_attempts,
        max_lost: policy.max_lost,
        track_started: true,
        adopt: false,
    }
}

pub(super) fn to_u8(number: u64) -> u8 {
    u8::try_from(number).expect("small numbers only")
}
