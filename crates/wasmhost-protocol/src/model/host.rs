//! A host before it owns a claim: it reads the record, decides about its delivery with `decide_claim`, and
//! carries the decision out.

use crate::policy::RetryPolicy;
use crate::record::{End, JobState, Record, StoredEntry};
use crate::rules::{ClaimDecision, ClaimInput};

use crate::model::clock;
use crate::model::mutants::Mutant;
use crate::model::records::{Ghost, write_id};
use crate::model::server::name;
use crate::model::steps::{Cause, Model, args, spend, to_u8};
use crate::model::world::{Host, HostStep, Intent, Location, World};

impl Model {
    pub(super) fn host_steps(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        if host.step == HostStep::Idle {
            return;
        }
        if let Some(mut after) = spend(world, |budgets| &mut budgets.crash) {
            after.ghost.faults += 1;
            after.hosts[at] = Host::default();
            self.step(Cause::Chance, after, || format!("{}: kill -9 at {:?}", name(at), host.step));
        }
        if matches!(host.step, HostStep::Run | HostStep::Ack | HostStep::Term)
            && self.delete_due_message_step(world, at)
        {
            if host.step == HostStep::Run {
                self.beat_step(world, at);
            }
            return;
        }
        match host.step {
            HostStep::Idle => {}
            HostStep::Read => self.read_steps(world, at, host),
            HostStep::LookUp { seq } => self.look_up_step(world, at, seq),
            HostStep::Copy => self.copy_steps(world, at, HostStep::Write),
            HostStep::DeadLetter => self.copy_steps(world, at, HostStep::Term),
            HostStep::Write => self.write_steps(world, at),
            HostStep::Unknown => self.unknown_steps(world, at),
            HostStep::Run => self.run_steps(world, at),
            HostStep::Ack | HostStep::Term => self.remove_step(world, at),
            HostStep::Nak => self.nak_step(world, at),
        }
    }

    /// Takes the common path of a trusted message: the host claims the revision that it names without a read.
    pub(super) fn claim_without_read(&mut self, world: &World, host: Host) -> Host {
        let revision = host.message.publish.revision;
        let trusted_revision = (revision > 0).then(|| u64::from(revision));
        let number = self.fresh_number(world);
        let decision = self.decide(world, &host, (&StoredEntry::Absent, trusted_revision), number);
        let ghost = Ghost { claim: 0, generation: host.message.publish.generation };
        self.carry_out(&host, decision, ghost, number)
    }

    fn decide(
        &self,
        world: &World,
        host: &Host,
        (stored, trusted_revision): (&StoredEntry, Option<u64>),
        number: u8,
    ) -> ClaimDecision {
        let claim = self.claim(world, host, number);
        let body = args(host.message.publish.args);
        let input = ClaimInput {
            stored,
            trusted_revision,
            claim: &claim,
            revision: (host.message.publish.revision > 0).then(|| u64::from(host.message.publish.revision)),
            stored_at: clock::stored(host.message.stored_after),
            is_of_body: &|digest| digest == body,
            now: clock::now(),
            bucket_created: crate::timestamp::Timestamp::from_unix_ms(0),
            write: write_id(number),
            result_ttl: clock::RESULT_TTL,
            unreadable: None,
        };
        self.decide_mutated(input)
    }

    /// Reads the record. Where its own message is gone, this message takes its place, unless the record
    /// belongs to a third message by now.
    fn read_steps(&mut self, world: &World, at: usize, host: Host) {
        let own = world.record_id.and_then(|record_id| self.record(record_id).msg_seq);
        let same = own == Some(u64::from(host.gone)) || self.is(Mutant::AdoptsAnyMessage);
        self.decision_steps(world, at, Host { adopt: host.gone != 0 && same, gone: 0, ..host });
    }

    /// Decides about the stored entry, and takes every step that is then open to the host.
    pub(super) fn decision_steps(&mut self, world: &World, at: usize, host: Host) {
        let stored = self.stored_entry(world);
        let number = self.fresh_number(world);
        let decision = self.decide(world, &host, (&stored, None), number);
        let ghost = match world.record_id {
            Some(record_id) => self.interned(record_id).ghost,
            None => Ghost { claim: 0, generation: host.message.publish.generation },
        };
        match &decision {
            ClaimDecision::Claim { .. } | ClaimDecision::End { .. } => self.hand_over_step(world, at),
            ClaimDecision::Stale { .. } => {
                self.hand_over_step(world, at);
                if let Some(mut after) = spend(world, |budgets| &mut budgets.stale) {
                    after.ghost.faults += 1;
                    let host = Host { adopt: true, ..host };
                    let again = self.decide(world, &host, (&stored, None), number);
                    after.hosts[at] = self.carry_out(&host, again, ghost, number);
                    let label = self.describe_turn(&after.hosts[at]);
                    self.step(Cause::Chance, after, || {
                        format!("{}: has walked away often enough: {label}", name(at))
                    });
                }
            }
            ClaimDecision::Ack
            | ClaimDecision::Delay(_)
            | ClaimDecision::LookUpMessage { .. }
            | ClaimDecision::DeadLetter { .. } => {}
        }
        let suspect = matches!(&decision, ClaimDecision::Claim { record, .. } if is_suspect(record));
        if suspect && let Some(after) = spend(world, |budgets| &mut budgets.give_back) {
            self.give_back(&after, at, host.message.seq);
        }
        let mut after = *world;
        after.hosts[at] = self.carry_out(&host, decision, ghost, number);
        let label = self.describe_turn(&after.hosts[at]);
        self.step(Cause::Work, after, || format!("{}: reads and decides: {label}", name(at)));
    }

    /// Hands the delivery to the lease of this very attempt, where it is one of the same host.
    fn hand_over_step(&mut self, world: &World, at: usize) {
        let runs_it = |slot: &Host| slot.step == HostStep::Run && self.owns_record(world, slot);
        let lease = world.hosts.iter().position(runs_it).filter(|_| self.scenario.one_host);
        let Some(lease) = lease else { return };
        let mut after = *world;
        let owner = &mut after.hosts[lease];
        owner.message = world.hosts[at].message.to_settle();
        owner.record_id = world.record_id;
        owner.expected = world.revision;
        after.hosts[at] = Host::default();
        self.step(Cause::Work, after, || format!("{} hands its delivery to {}", name(at), name(lease)));
    }

    fn give_back(&mut self, world: &World, at: usize, seq: u8) {
        let mut after = *world;
        after.hosts[at] = Host::default();
        for message in after.messages.iter_mut().filter(|message| message.seq == seq) {
            message.count += 21;
            message.pending = false;
        }
        self.step(Cause::Chance, after, || format!("{}: gives a suspect back, 21 times", name(at)));
    }

    /// Returns the host after a decision. `ghost` is that of the record that the decision was about.
    fn carry_out(&mut self, host: &Host, decision: ClaimDecision, ghost: Ghost, number: u8) -> Host {
        let settling = |step| Host { step, message: host.message.to_settle(), ..Host::default() };
        match decision {
            ClaimDecision::Claim { record, expected } => {
                let record_id = self.intern(*record, Ghost { claim: number, ..ghost });
                let token = self.interned(record_id).token;
                let host =
                    Host { step: HostStep::Write, intent: Intent::Claim, claim: number, token, ..*host };
                Host { record_id: Some(record_id), expected: to_u8(expected), recorded: false, ..host }
            }
            ClaimDecision::End { record, expected } => {
                let step = self.before_write(&record);
                let host = Host { step, intent: Intent::End, claim: 0, token: 0, recorded: false, ..*host };
                Host { record_id: Some(self.intern(*record, ghost)), expected: to_u8(expected), ..host }
            }
            ClaimDecision::Ack => settling(HostStep::Ack),
            ClaimDecision::Delay(_) => settling(HostStep::Nak),
            ClaimDecision::LookUpMessage { msg_seq } => {
                let host =
                    Host { record_id: None, expected: 0, claim: 0, token: 0, recorded: false, ..*host };
                Host { step: HostStep::LookUp { seq: to_u8(msg_seq) }, intent: Intent::Claim, ..host }
            }
            ClaimDecision::Stale { .. } => Host::default(),
            ClaimDecision::DeadLetter { .. } => {
                settling(if self.scenario.copies && !self.is(Mutant::NoCopy) {
                    HostStep::DeadLetter
                } else {
                    HostStep::Term
                })
            }
        }
    }

    /// Returns the step that precedes a write: a failure has its dead-letter copy before it is written.
    pub(super) fn before_write(&self, record: &Record) -> HostStep {
        let fails = matches!(&record.state, JobState::Ended { end: End::Failure(_), .. });
        if self.scenario.copies && fails && !self.is(Mutant::NoCopy) {
            HostStep::Copy
        } else {
            HostStep::Write
        }
    }

    fn look_up_step(&mut self, world: &World, at: usize, seq: u8) {
        let mut after = *world;
        let host = &mut after.hosts[at];
        let is_stored =
            world.messages.iter().any(|message| message.seq == seq && message.location == Location::Jobs);
        if is_stored || self.is(Mutant::AcksEveryDuplicate) {
            *host = Host { step: HostStep::Ack, message: host.message.to_settle(), ..Host::default() };
            return self.step(Cause::Work, after, || format!("{}: message {seq} is still stored", name(at)));
        }
        host.step = HostStep::Read;
        host.gone = seq;
        self.step(Cause::Work, after, || format!("{}: message {seq} is gone", name(at)));
    }

    /// Stores a dead-letter copy. Where none can be stored, a failure is recorded without one, and a message
    /// that is no job stays.
    fn copy_steps(&mut self, world: &World, at: usize, then: HostStep) {
        let host = world.hosts[at];
        if let Some(mut after) = spend(world, |budgets| &mut budgets.refuse_copy) {
            after.ghost.refused = true;
            after.hosts[at] =
                if then == HostStep::Term { Host::default() } else { Host { step: then, ..host } };
            self.step(Cause::Chance, after, || format!("{}: the dead-letter copy is refused", name(at)));
        }
        let mut after = *world;
        after.hosts[at].step = then;
        after.ghost.copied |= 1 << host.message.seq;
        self.step(Cause::Work, after, || format!("{}: the dead-letter copy is stored", name(at)));
    }

    fn describe_turn(&self, host: &Host) -> String {
        match (self.describe, host.record_id) {
            (false, _) => String::new(),
            (true, Some(record_id)) if matches!(host.step, HostStep::Write | HostStep::Copy) => {
                format!("{:?}, {} over {}", host.intent, self.describe_record(record_id), host.expected)
            }
            (true, _) if host.step == HostStep::Idle => "walks away".to_owned(),
            (true, _) => format!("{:?}", host.step),
        }
    }
}

/// Returns whether a record that a claim is about to write is that of a suspect.
fn is_suspect(claimed: &Record) -> bool {
    claimed.lost >= RetryPolicy::SUSPECT_LOST
}
