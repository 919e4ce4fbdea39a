//! A host that owns nothing yet: it reads, judges its delivery by the protocol's `decide_claim`, and carries out what that says;
//! then every host's writes, and what becomes of those without an answer.

use crate::policy::RetryPolicy;
use crate::record::{End, JobState, Record, StoredEntry};
use crate::rules::{ClaimDecision, ClaimInput, WriteResolution, resolve_write, still_owned};

use crate::model::clock;
use crate::model::few::Few;
use crate::model::mutants::Mutant;
use crate::model::records::{Ghost, token, write_id};
use crate::model::server::name;
use crate::model::steps::{Cause, Model, args, spend};
use crate::model::world::{At, Host, Intent, Msg, Place, World, Write};

impl Model {
    pub(super) fn host_steps(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        if host.pc == At::Idle {
            return;
        }
        if let Some(mut after) = spend(world, |left| &mut left.crash) {
            after.ghost.faults += 1;
            after.hosts[at] = Host::default();
            self.step(Cause::Chance, after, || format!("{}: kill -9 at {:?}", name(at), host.pc));
        }
        if matches!(host.pc, At::Run | At::Ack | At::Term) && self.discard_step(world, at) {
            if host.pc == At::Run {
                self.beat_step(world, at);
            }
            return;
        }
        match host.pc {
            At::Idle => {}
            At::Read => self.read_steps(world, at, host),
            At::Look { seq } => self.look_step(world, at, seq),
            At::Copy => self.copy_steps(world, at, At::Write),
            At::Bury => self.copy_steps(world, at, At::Term),
            At::Write => self.write_steps(world, at),
            At::Unknown => self.unknown_steps(world, at),
            At::Run => self.run_steps(world, at),
            At::Ack | At::Term => self.remove_step(world, at),
            At::Nak => self.nak_step(world, at),
        }
    }

    /// The common path (R0): the message is believed, and nothing read.
    pub(super) fn believe(&mut self, world: &World, host: Host) -> Host {
        let revision = host.msg.what.hdr;
        let believed = (revision > 0).then(|| u64::from(revision));
        let number = self.fresh(world);
        let decision = self.judge(world, &host, (&StoredEntry::Absent, believed), number);
        let ghost = Ghost { claim: 0, run: host.msg.what.run };
        self.carried_out(&host, decision, ghost, number)
    }

    fn judge(
        &self,
        world: &World,
        host: &Host,
        (stored, believed): (&StoredEntry, Option<u64>),
        number: u8,
    ) -> ClaimDecision {
        let claim = self.claim(world, host, number);
        let body = args(host.msg.what.args);
        let case = ClaimInput {
            stored,
            trusted_revision: believed,
            claim: &claim,
            revision: (host.msg.what.hdr > 0).then(|| u64::from(host.msg.what.hdr)),
            stored_at: clock::stored(host.msg.born),
            is_of_body: &|digest| digest == body,
            now: clock::now(),
            bucket_created: crate::timestamp::Timestamp::from_unix_ms(0),
            write: write_id(number),
            result_ttl: clock::RESULT_TTL,
            unreadable: None,
        };
        self.judge_mutated(case)
    }

    /// R4: where a message is gone, this one takes its place, unless the record has moved to a third one meanwhile.
    fn read_steps(&mut self, world: &World, at: usize, host: Host) {
        let own = world.rec.and_then(|rec| self.record(rec).msg_seq);
        let same = own == Some(u64::from(host.gone)) || self.is(Mutant::AdoptsWhatMoved);
        self.judge_steps(world, at, Host { adopt: host.gone != 0 && same, gone: 0, ..host });
    }

    /// Judges what stands, and takes every turn that is open to the host.
    fn judge_steps(&mut self, world: &World, at: usize, host: Host) {
        let stored = self.stored(world);
        let number = self.fresh(world);
        let decision = self.judge(world, &host, (&stored, None), number);
        let ghost = match world.rec {
            Some(rec) => self.kept(rec).ghost,
            None => Ghost { claim: 0, run: host.msg.what.run },
        };
        match &decision {
            ClaimDecision::Claim { .. } | ClaimDecision::End { .. } => self.hand_over_step(world, at),
            ClaimDecision::Stale { .. } => {
                self.hand_over_step(world, at);
                if let Some(mut after) = spend(world, |left| &mut left.stale) {
                    after.ghost.faults += 1;
                    let host = Host { adopt: true, ..host };
                    let again = self.judge(world, &host, (&stored, None), number);
                    after.hosts[at] = self.carried_out(&host, again, ghost, number);
                    let label = self.describe_turn(&after.hosts[at]);
                    self.step(Cause::Chance, after, || format!("{}: R3's fourth time: {label}", name(at)));
                }
            }
            ClaimDecision::Ack
            | ClaimDecision::Delay(_)
            | ClaimDecision::LookUpMessage { .. }
            | ClaimDecision::DeadLetter { .. } => {}
        }
        let suspect = matches!(&decision, ClaimDecision::Claim { record, .. } if is_suspect(record));
        if suspect && let Some(after) = spend(world, |left| &mut left.give_back) {
            self.give_back(&after, at, host.msg.seq);
        }
        let mut after = *world;
        after.hosts[at] = self.carried_out(&host, decision, ghost, number);
        let label = self.describe_turn(&after.hosts[at]);
        self.step(Cause::Work, after, || format!("{}: reads and judges: {label}", name(at)));
    }

    /// R3: where the slot that runs this very attempt is of the same host, the delivery is its lease's.
    fn hand_over_step(&mut self, world: &World, at: usize) {
        let runs = |slot: &Host| slot.pc == At::Run && self.holds(world, slot);
        let lease = world.hosts.iter().position(runs).filter(|_| self.scenario.one_host);
        let Some(lease) = lease else { return };
        let mut after = *world;
        let held = &mut after.hosts[lease];
        held.msg = world.hosts[at].msg.to_settle();
        held.rec = world.rec;
        held.exp = world.rev;
        after.hosts[at] = Host::default();
        self.step(Cause::Work, after, || format!("{} hands its delivery to {}", name(at), name(lease)));
    }

    fn give_back(&mut self, world: &World, at: usize, seq: u8) {
        let mut after = *world;
        after.hosts[at] = Host::default();
        for msg in after.msgs.iter_mut().filter(|msg| msg.seq == seq) {
            msg.count += 21;
            msg.pending = false;
        }
        self.step(Cause::Chance, after, || format!("{}: gives a suspect back, 21 times", name(at)));
    }

    /// The host after a decision. `ghost`: of the record that was judged.
    fn carried_out(&mut self, host: &Host, decision: ClaimDecision, ghost: Ghost, number: u8) -> Host {
        let settling = |pc| Host { pc, msg: host.msg.to_settle(), ..Host::default() };
        match decision {
            ClaimDecision::Claim { record, expected } => {
                let rec = self.keep(*record, Ghost { claim: number, ..ghost });
                let token = self.kept(rec).token;
                let host = Host { pc: At::Write, intent: Intent::Claim, claim: number, token, ..*host };
                Host { rec: Some(rec), exp: small(expected), recorded: false, ..host }
            }
            ClaimDecision::End { record, expected } => {
                let pc = self.before_write(&record);
                let host = Host { pc, intent: Intent::End, claim: 0, token: 0, recorded: false, ..*host };
                Host { rec: Some(self.keep(*record, ghost)), exp: small(expected), ..host }
            }
            ClaimDecision::Ack => settling(At::Ack),
            ClaimDecision::Delay(_) => settling(At::Nak),
            ClaimDecision::LookUpMessage { msg_seq } => {
                let host = Host { rec: None, exp: 0, claim: 0, token: 0, recorded: false, ..*host };
                Host { pc: At::Look { seq: small(msg_seq) }, intent: Intent::Claim, ..host }
            }
            ClaimDecision::Stale { .. } => Host::default(),
            ClaimDecision::DeadLetter { .. } => {
                settling(if self.scenario.copies && !self.is(Mutant::NoCopy) { At::Bury } else { At::Term })
            }
        }
    }

    /// A failure is kept for people before it is written (R7).
    pub(super) fn before_write(&self, record: &Record) -> At {
        let fails = matches!(&record.stage, JobState::Ended { end: End::Failure(_), .. });
        if self.scenario.copies && fails && !self.is(Mutant::NoCopy) { At::Copy } else { At::Write }
    }

    fn look_step(&mut self, world: &World, at: usize, seq: u8) {
        let mut after = *world;
        let host = &mut after.hosts[at];
        let stands = world.msgs.iter().any(|msg| msg.seq == seq && msg.place == Place::Jobs);
        if stands || self.is(Mutant::R4AcksAlways) {
            *host = Host { pc: At::Ack, msg: host.msg.to_settle(), ..Host::default() };
            return self.step(Cause::Work, after, || format!("{}: R4: message {seq} stands", name(at)));
        }
        host.pc = At::Read;
        host.gone = seq;
        self.step(Cause::Work, after, || format!("{}: R4: message {seq} is gone", name(at)));
    }

    /// Three refusals, and it goes on without a copy of a failure; a message without a copy stays.
    fn copy_steps(&mut self, world: &World, at: usize, then: At) {
        let host = world.hosts[at];
        if let Some(mut after) = spend(world, |left| &mut left.refuse) {
            after.ghost.refused = true;
            after.hosts[at] = if then == At::Term { Host::default() } else { Host { pc: then, ..host } };
            self.step(Cause::Chance, after, || format!("{}: DEAD refuses the copy", name(at)));
        }
        let mut after = *world;
        after.hosts[at].pc = then;
        after.ghost.copied |= 1 << host.msg.seq;
        self.step(Cause::Work, after, || format!("{}: a copy is kept in DEAD", name(at)));
    }

    fn write_steps(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        let rec = host.rec.expect("who writes has a record");
        let what = match self.describe {
            true => format!("{}: {:?}: {} over {}", name(at), host.intent, self.word(rec), host.exp),
            false => String::new(),
        };
        match self.cas(world, rec, host.exp) {
            Some(after) => {
                let after = self.landed(&after, at, after.hosts[at], after.rev);
                self.step(Cause::Work, after, || format!("{what} lands"));
            }
            None => {
                let mut after = *world;
                after.hosts[at].pc = At::Unknown;
                self.step(Cause::Work, after, || format!("{what} is refused"));
            }
        }
        if let Some(mut after) = spend(world, |left| &mut left.unknown) {
            after.net.push(Write { new: Some(rec), exp: host.exp });
            after.hosts[at].pc = At::Unknown;
            if self.is(Mutant::StartsWhileUnknown) && host.intent == Intent::Claim {
                after.hosts[at] = Host { pc: At::Run, exp: world.writes + 1, ..host };
            }
            self.step(Cause::Chance, after, || format!("{what} has no answer"));
        }
    }

    /// The write of `host` is confirmed at `revision`.
    pub(super) fn landed(&mut self, world: &World, at: usize, host: Host, revision: u8) -> World {
        let mut after = *world;
        let msg = host.msg.to_settle();
        let pc = match host.intent {
            Intent::Claim | Intent::Progress => At::Run,
            Intent::Retry | Intent::HandOff => At::Nak,
            Intent::End | Intent::Success | Intent::Failure | Intent::Revoked => At::Ack,
        };
        let settling = Host { pc, msg, ..Host::default() };
        after.hosts[at] = if pc == At::Run { self.running(&host, revision) } else { settling };
        after
    }

    /// A guest starts, or goes on.
    fn running(&mut self, host: &Host, revision: u8) -> Host {
        let rec = host.rec.expect("who runs holds a record");
        if self.record(rec).is_terminal() {
            self.hit("I13 a guest starts in a job that is known to have ended");
        }
        let msg = host.msg.to_settle();
        let claim = host.claim;
        let token = host.token;
        let recorded = host.recorded;
        Host { pc: At::Run, msg, claim, token, recorded, rec: host.rec, exp: revision, ..Host::default() }
    }

    fn unknown_steps(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        if !matches!(host.intent, Intent::Claim | Intent::End) {
            return self.owner_unknown_step(world, at);
        }
        let written = self.record(host.rec.expect("who writes has a record")).clone();
        let own_claim = |found: &StoredEntry| {
            let ended = self.is(Mutant::StartsWhatEnded) && self.holds(world, &host);
            ended || still_owned(found.clone(), token(host.token)).is_some()
        };
        let blind = self.is(Mutant::R5NotForClaims);
        match resolve_write(&written, u64::from(host.exp), self.stored(world)) {
            WriteResolution::Landed(revision) if !blind => {
                let after = self.landed(world, at, host, small(revision));
                self.step(Cause::Work, after, || format!("{}: R5: it landed", name(at)));
            }
            WriteResolution::Unchanged => {
                let mut after = *world;
                after.hosts[at] = self.tried_again(world, &host);
                self.step(Cause::Work, after, || format!("{}: R5: unchanged, tries again", name(at)));
            }
            WriteResolution::Moved(found) if host.intent == Intent::Claim && own_claim(&found) && !blind => {
                let host = Host { rec: world.rec, ..host };
                let after = self.landed(world, at, host, world.rev);
                self.step(Cause::Work, after, || {
                    format!("{}: R5: it landed, and was written over", name(at))
                });
            }
            WriteResolution::Landed(_) | WriteResolution::Moved(_) => {
                self.judge_steps(world, at, Host { adopt: false, ..host });
            }
        }
    }

    /// What fired is deleted (S3): begun at the claim, confirmed before the end is recorded, and before the message goes. Whether
    /// that comes first.
    fn discard_step(&mut self, world: &World, at: usize) -> bool {
        let host = world.hosts[at];
        let source = host.msg.source;
        let runs = host.pc == At::Run;
        if source == 0 || self.is(Mutant::KeepsWhatFired) {
            return false;
        }
        let acked = !world.msgs.iter().any(|msg| msg.seq == host.msg.seq);
        if self.is(Mutant::DiscardsAfterTheAck) && !acked || self.is(Mutant::DiscardsAtTheAck) && runs {
            return false;
        }
        let all = self.is(Mutant::DiscardsWhateverFired);
        let goes =
            |msg: &Msg| msg.place == Place::Due && (all || msg.seq == source || runs && msg.seq < source);
        if !world.msgs.iter().any(goes) {
            return false;
        }
        let mut after = *world;
        after.msgs = Few::of(world.msgs.iter().filter(|msg| !goes(msg)).copied());
        self.step(Cause::Work, after, || format!("{}: deletes what fired, up to {source}", name(at)));
        true
    }

    /// Ack or term.
    fn remove_step(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        let mut after = *world;
        if let Some(gone) = world.msgs.iter().position(|msg| msg.seq == host.msg.seq) {
            after.msgs.remove(gone);
        }
        let late = |msg: &Msg| msg.place == Place::Due && msg.seq == host.msg.source;
        if !(self.is(Mutant::DiscardsAfterTheAck) && after.msgs.iter().any(late)) {
            after.hosts[at] = Host::default();
        }
        let open = world.ghost.accepted & !world.ghost.over != 0;
        if host.pc == At::Ack && !world.msgs.is_empty() && after.msgs.is_empty() && open {
            self.hit("I5 last message acked before a terminal record");
        }
        if host.pc == At::Term && self.scenario.copies && world.ghost.copied >> host.msg.seq & 1 == 0 {
            self.hit("R7 a message is removed without a copy for people");
        }
        let how = if host.pc == At::Ack { "acks" } else { "terminates" };
        self.step(Cause::Work, after, || format!("{}: {how} message {}", name(at), host.msg.seq));
    }

    fn nak_step(&mut self, world: &World, at: usize) {
        let mut after = *world;
        let early = self.is_early(world);
        let seq = world.hosts[at].msg.seq;
        for msg in after.msgs.iter_mut().filter(|msg| msg.seq == seq) {
            msg.pending = false;
            msg.delayed = early;
        }
        after.hosts[at] = Host::default();
        self.step(Cause::Work, after, || format!("{}: naks message {seq}", name(at)));
    }

    fn describe_turn(&self, host: &Host) -> String {
        match (self.describe, host.rec) {
            (false, _) => String::new(),
            (true, Some(rec)) if matches!(host.pc, At::Write | At::Copy) => {
                format!("{:?}, {} over {}", host.intent, self.word(rec), host.exp)
            }
            (true, _) if host.pc == At::Idle => "walks away".to_owned(),
            (true, _) => format!("{:?}", host.pc),
        }
    }
}

fn is_suspect(claimed: &Record) -> bool {
    claimed.lost >= RetryPolicy::SUSPECT_LOST
}

pub(super) fn small(number: u64) -> u8 {
    u8::try_from(number).expect("small numbers only")
}
