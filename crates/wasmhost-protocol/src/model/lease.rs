//! A host that owns a claim: its guest runs, and each of its writes is what the state machine makes of the
//! record that it has accepted.

use crate::ids::StateName;
use crate::json::Json;
use crate::machine::{IllegalTransition, Transition, WriteIntent, Writer, transition};
use crate::outcome::{Outcome, Verdict};
use crate::record::{End, ErrorKind, JobError, Payload, Record, StoredEntry};
use crate::rules::{Attempt, Decision, WriteResolution, decide, resolve_write, still_owned};

use crate::model::clock;
use crate::model::mutants::{Mutant, force_write};
use crate::model::records::{Ghost, token, write_id};
use crate::model::server::name;
use crate::model::steps::{Cause, Model, retry_policy, spend, to_u8};
use crate::model::world::{Host, HostStep, Intent, Message, World};

impl Model {
    pub(super) fn run_steps(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        let held_record = self.record(host.record_id.expect("whoever runs has a record")).clone();
        if !host.recorded {
            self.violate("I10 guest runs without a recorded attempt");
        }
        self.beat_step(world, at);
        if held_record.revoke.is_some() {
            return self.outcome_step(world, at, &held_record, Verdict::Cancelled);
        }
        if let Some(after) = spend(world, |budgets| &mut budgets.progress) {
            self.intend_step(&after, at, Intent::Progress, Cause::Chance);
        }
        if let Some(after) = spend(world, |budgets| &mut budgets.handoff) {
            let intent = self.decide_intent(&held_record, Verdict::Cancelled);
            self.intend_step(&after, at, intent, Cause::Chance);
        }
        self.outcome_step(world, at, &held_record, Verdict::Returned(Json::null()));
        if !self.scenario.always_succeeds {
            let failed = Verdict::Failed { message: "it failed".to_owned(), details: None };
            self.outcome_step(world, at, &held_record, failed);
        }
    }

    /// Takes a beat: the host accepts the revision that others wrote, if the claim is still its own.
    pub(super) fn beat_step(&mut self, world: &World, at: usize) {
        let mut after = *world;
        let host = &mut after.hosts[at];
        let accepts_ends = self.is(Mutant::BeatAcceptsEnds) && self.owns_record(world, &world.hosts[at]);
        let found = still_owned(self.stored_entry(world), token(host.token));
        match found {
            Some((_, revision)) if to_u8(revision) == host.expected => {}
            Some((_, revision)) => {
                host.record_id = world.record_id;
                host.expected = to_u8(revision);
                self.step(Cause::Work, after, || format!("{}: beat: accepts revision {revision}", name(at)));
            }
            None if accepts_ends => {
                host.record_id = world.record_id;
                host.expected = world.revision;
                if world.revision != world.hosts[at].expected {
                    self.step(Cause::Work, after, || format!("{}: beat: accepts the end", name(at)));
                }
            }
            None => {
                *host = Host::default();
                self.step(Cause::Work, after, || format!("{}: beat: fenced", name(at)));
            }
        }
    }

    fn decide_intent(&self, held_record: &Record, verdict: Verdict) -> Intent {
        let retry = retry_policy(&self.scenario);
        let handing_off = verdict == Verdict::Cancelled;
        let attempt = Attempt { record: held_record, retry: &retry, handing_off, jitter: 1.0 };
        match decide(&attempt, &Outcome::without_run(verdict)) {
            Decision::Succeed(_) => Intent::Success,
            Decision::Fail(_) => Intent::Failure,
            Decision::Retry { charge: true, .. } => Intent::Retry,
            Decision::Retry { charge: false, .. } => Intent::HandOff,
            Decision::Revoke => Intent::Revoked,
        }
    }

    fn outcome_step(&mut self, world: &World, at: usize, held_record: &Record, verdict: Verdict) {
        let cause = if matches!(verdict, Verdict::Failed { .. }) { Cause::Chance } else { Cause::Work };
        let intent = self.decide_intent(held_record, verdict);
        let mut after = *world;
        if intent == Intent::Success && self.is(Mutant::AckBeforeTerminal) {
            let seq = world.hosts[at].message.seq;
            if let Some(gone) = world.messages.iter().position(|message| message.seq == seq) {
                after.messages.remove(gone);
            }
        }
        if intent == Intent::Retry && self.is(Mutant::NakWithoutRetry) {
            let message = Message { seq: world.hosts[at].message.seq, ..Message::default() };
            after.hosts[at] = Host { step: HostStep::Nak, message, ..Host::default() };
            return self.step(cause, after, || format!("{}: guest error: nak alone", name(at)));
        }
        self.intend_step(&after, at, intent, cause);
    }

    fn intend_step(&mut self, world: &World, at: usize, intent: Intent, cause: Cause) {
        let mut after = *world;
        after.hosts[at] = self.prepare_write(world, &world.hosts[at], intent);
        self.step(cause, after, || format!("{}: guest: {intent:?}", name(at)));
    }

    /// Returns the host with a write that the state machine makes of the accepted record. Where it refuses
    /// the write, the host falls silent.
    fn prepare_write(&mut self, world: &World, host: &Host, intent: Intent) -> Host {
        let record_id = host.record_id.expect("an owner holds a record");
        let number = self.fresh_number(world);
        let write = WriteIntent {
            transition: intended_transition(intent),
            writer: Writer::Owner(token(host.token)),
            now: clock::now(),
            write: write_id(number),
        };
        let held_record = self.record(record_id);
        let generation = self.interned(record_id).ghost.generation;
        let built = match self.bypasses_guards(held_record) {
            true => Ok(force_write(held_record, &write)),
            false => transition(Some(held_record), &write),
        };
        match built {
            Ok(record) => {
                let step = self.before_write(&record);
                let new = self.intern(record, Ghost { claim: host.claim, generation });
                Host { step, record_id: Some(new), intent, ..*host }
            }
            // Progress is dropped while a revoke is recorded, and the guest goes on until it sees
            // `cancelled`.
            Err(IllegalTransition::Revoked) if intent == Intent::Progress => {
                Host { step: HostStep::Run, intent: Intent::Claim, ..*host }
            }
            Err(_) => Host::default(),
        }
    }

    fn bypasses_guards(&self, held_record: &Record) -> bool {
        self.is(Mutant::TokenBeforeEnd)
            || self.is(Mutant::BeatAcceptsEnds) && held_record.is_terminal()
            || self.is(Mutant::ReappliesOverRevoke) && held_record.revoke.is_some()
    }

    /// Finds out what became of an owner's write without an answer.
    pub(super) fn owner_unknown_step(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        let written = self.record(host.record_id.expect("whoever writes has a record")).clone();
        let mut after = *world;
        if self.is(Mutant::TokenBeforeEnd) && self.is_overwritten(world, &host, &written) {
            after.hosts[at] = self.rebuild_write(world, &host, world.revision);
            return self
                .step(Cause::Work, after, || format!("{}: the token is its own, builds again", name(at)));
        }
        match resolve_write(&written, u64::from(host.expected), self.stored_entry(world)) {
            WriteResolution::Stored(revision) => {
                let after = self.confirmed(world, at, host, to_u8(revision));
                self.step(Cause::Work, after, || format!("{}: its write was stored", name(at)));
            }
            WriteResolution::Unchanged => {
                after.hosts[at] = self.retry_write(world, &host);
                self.step(Cause::Work, after, || format!("{}: nothing has changed, tries again", name(at)));
            }
            WriteResolution::Superseded(stored) => match still_owned(stored, token(host.token)) {
                Some((_, revision)) => {
                    after.hosts[at] = self.rebuild_write(world, &host, to_u8(revision));
                    self.step(Cause::Work, after, || {
                        format!("{}: still the owner, builds its write again", name(at))
                    });
                }
                None => {
                    after.hosts[at] = Host::default();
                    self.step(Cause::Work, after, || format!("{}: fenced", name(at)));
                }
            },
        }
    }

    fn is_overwritten(&self, world: &World, host: &Host, written: &Record) -> bool {
        let other = matches!(self.stored_entry(world), StoredEntry::Record { record, .. } if record.write != written.write);
        other && self.owns_record(world, host)
    }

    /// Returns the host with its write built again on the stored record. Where that has a revoke, an outcome
    /// becomes REVOKED.
    fn rebuild_write(&mut self, world: &World, host: &Host, revision: u8) -> Host {
        let found = world.record_id.expect("it was read");
        let revoked = self.record(found).revoke.is_some() && !self.is(Mutant::ReappliesOverRevoke);
        let intent = if revoked && host.intent != Intent::Progress { Intent::Revoked } else { host.intent };
        let host = Host { record_id: Some(found), expected: revision, ..*host };
        self.prepare_write(world, &host, intent)
    }

    /// Returns the host with the same write to be tried again. A mutant gives it a new id.
    pub(super) fn retry_write(&mut self, world: &World, host: &Host) -> Host {
        let host = Host { step: HostStep::Write, ..*host };
        if !self.is(Mutant::FreshWriteIds) {
            return host;
        }
        let record_id = host.record_id.expect("whoever writes has a record");
        let mut record = self.record(record_id).clone();
        let mut ghost = self.interned(record_id).ghost;
        let number = self.fresh_number(world);
        record.write = write_id(number);
        if host.intent != Intent::Claim {
            return Host { record_id: Some(self.intern(record, ghost)), ..host };
        }
        record.token = Some(token(number));
        ghost.claim = number;
        Host { record_id: Some(self.intern(record, ghost)), claim: number, token: number, ..host }
    }
}

fn intended_transition(intent: Intent) -> Transition {
    let finish = |end| Transition::Finish { end, usage: None, denied: Vec::new() };
    let retry = |not_before, charge| Transition::Retry {
        reason: "again".to_owned(),
        not_before,
        charge,
        usage: None,
    };
    match intent {
        Intent::Progress => {
            Transition::Progress { state: StateName::parse("HALFWAY").expect("a custom state"), meta: None }
        }
        Intent::Retry => retry(clock::ahead(), true),
        Intent::HandOff => retry(clock::passed(), false),
        Intent::Success => finish(End::Success(Payload::Inline(Json::null()))),
        Intent::Failure => finish(End::Failure(JobError::new(ErrorKind::Failed, "it failed"))),
        Intent::Revoked | Intent::Claim | Intent::End => {
            Transition::Revoked { reason: String::new(), usage: None }
        }
    }
}
