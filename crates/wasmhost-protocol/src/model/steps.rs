//! The model: a scenario, perhaps a mutant, and the steps that a state allows.

use std::time::Duration;

use crate::digest::Digest;
use crate::ids::{HostId, JobKey, QueueName};
use crate::machine::{Claim, JobSpec};
use crate::policy::RetryPolicy;
use crate::record::{DeliveryOrdinal, Marker, Record, StoredEntry};
use crate::timestamp::Timestamp;

use crate::model::clock;
use crate::model::mutants::Mutant;
use crate::model::records::{Ghost, Kept, Rec, Records, token};
use crate::model::scenarios::Scenario;
use crate::model::world::{Gone, Host, Left, Msg, Odd, World};

/// Deliveries of one message by one consumer; a search that comes here says so.
pub(super) const MOST_DELIVERIES: u8 = 90;

/// One step.
pub(super) struct Step {
    /// What happened, where somebody asked.
    pub(super) label: String,
    pub(super) to: World,
    pub(super) cause: Cause,
    /// Invariants that it breaks.
    pub(super) hits: Vec<String>,
}

/// Why a step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It is somebody's work, and comes if nothing else does.
    Work,
    /// It takes a fault, or somebody's wish.
    Chance,
}

pub(super) struct Model {
    pub(super) scenario: Scenario,
    pub(super) mutant: Option<Mutant>,
    pub(super) records: Records,
    pub(super) steps: Vec<Step>,
    /// Broken by the step that is being made.
    pub(super) hits: Vec<String>,
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
            hits: Vec::new(),
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

    /// All steps from `world`.
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
        for at in 0..world.recons.len() {
            self.reconciler_steps(world, at);
        }
        std::mem::take(&mut self.steps)
    }

    pub(super) fn step(&mut self, cause: Cause, to: World, label: impl FnOnce() -> String) {
        let label = if self.describe { label() } else { String::new() };
        let hits = std::mem::take(&mut self.hits);
        self.steps.push(Step { label, to, cause, hits });
    }

    pub(super) fn kept(&self, rec: Rec) -> &Kept {
        self.records.get(rec)
    }

    pub(super) fn record(&self, rec: Rec) -> &Record {
        &self.records.get(rec).record
    }

    pub(super) fn keep(&mut self, record: Record, ghost: Ghost) -> Rec {
        self.records.keep(record, ghost)
    }

    /// The smallest number that stands nowhere: nobody could tell it from random bits.
    pub(super) fn fresh(&self, world: &World) -> u8 {
        let mut used = 1_u128;
        let written = world.net.iter().map(|write| write.new).chain([world.rec, world.revoker.write.new]);
        let held =
            world.clients.iter().map(|client| client.rec).chain(world.hosts.iter().map(|host| host.rec));
        for kept in written.chain(held).flatten().map(|rec| self.kept(rec)) {
            used |= 1 << kept.token | 1 << kept.write | 1 << kept.ghost.claim;
        }
        for host in world.hosts.iter() {
            used |= 1 << host.token | 1 << host.claim;
        }
        u8::try_from(used.trailing_ones()).expect("fewer ids than bits")
    }

    /// What a reader finds under the key.
    pub(super) fn stored(&self, world: &World) -> StoredEntry {
        let revision = u64::from(world.rev);
        if let Some(odd) = world.odd {
            return match odd {
                Odd::Unreadable => StoredEntry::Unreadable { revision, why: "not JSON".to_owned() },
                Odd::Newer => StoredEntry::Newer { revision, version: 9 },
            };
        }
        if let Some(rec) = world.rec {
            return StoredEntry::Record { record: Box::new(self.record(rec).clone()), revision };
        }
        match world.marker {
            None => StoredEntry::Absent,
            Some(Gone::Expired { ended, brief }) => {
                StoredEntry::Deleted(Marker { revision, at: clock::expired(ended, brief), expired: true })
            }
            Some(Gone::Deleted) => {
                StoredEntry::Deleted(Marker { revision, at: clock::written(world.rev), expired: false })
            }
        }
    }

    /// What a message says of its job.
    pub(super) fn submission(&self, world: &World, msg: &Msg) -> JobSpec {
        let raw = msg.what.hdr == 0;
        JobSpec {
            submitted_at: if raw { clock::stored(msg.born) } else { clock::submitted(msg.what.submitted) },
            expires_at: self.expires_at(world),
            args_digest: Some(args(msg.what.args)),
            ..self.claim.job.clone()
        }
    }

    pub(super) fn expires_at(&self, world: &World) -> Option<Timestamp> {
        let at = if world.expired { clock::passed() } else { clock::ahead() };
        self.scenario.expires.then_some(at)
    }

    /// The claim that a host would make.
    pub(super) fn claim(&self, world: &World, host: &Host, number: u8) -> Claim {
        let number = if self.is(Mutant::CountIsTheFence) { host.msg.count } else { number };
        Claim {
            job: self.submission(world, &host.msg),
            token: token(number),
            msg_seq: u64::from(host.msg.seq),
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
    DeliveryOrdinal { created: clock::stored(host.created), count: u64::from(host.msg.count) }
}

/// The digest of arguments number `number`.
pub(super) fn args(number: u8) -> Digest {
    Digest::from_bytes([number; 32])
}

/// The world with one less of a budget; none where nothing is left of it.
pub(super) fn spend(world: &World, budget: impl FnOnce(&mut Left) -> &mut u8) -> Option<World> {
    let mut after = *world;
    let left = budget(&mut after.left);
    *left = left.checked_sub(1)?;
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
