//! A host that owns a claim: its guest runs, and each of its writes is built by `next` on the record that it holds.

use crate::ids::StateName;
use crate::json::Json;
use crate::machine::{Illegal, Transition, WriteIntent, Writer, transition};
use crate::outcome::{Outcome, Verdict};
use crate::record::{End, ErrorKind, JobError, Payload, Record, StoredEntry};
use crate::rules::{Attempt, Decision, WriteResolution, decide, resolve_write, still_owned};

use crate::model::clock;
use crate::model::host::small;
use crate::model::mutants::{Mutant, forced};
use crate::model::records::{Ghost, token, write_id};
use crate::model::server::name;
use crate::model::steps::{Cause, Model, retry_policy, spend};
use crate::model::world::{At, Host, Intent, Msg, World};

impl Model {
    pub(super) fn run_steps(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        let known = self.record(host.rec.expect("who runs holds a record")).clone();
        if !host.recorded {
            self.hit("I10 guest runs without a recorded attempt");
        }
        self.beat_step(world, at);
        if known.revoke.is_some() {
            return self.outcome_step(world, at, &known, Verdict::Cancelled);
        }
        if let Some(after) = spend(world, |left| &mut left.progress) {
            self.intend_step(&after, at, Intent::Progress, Cause::Chance);
        }
        if let Some(after) = spend(world, |left| &mut left.handoff) {
            let intent = self.decided(&known, Verdict::Cancelled);
            self.intend_step(&after, at, intent, Cause::Chance);
        }
        self.outcome_step(world, at, &known, Verdict::Returned(Json::null()));
        if !self.scenario.plain {
            let failed = Verdict::Failed { message: "it failed".to_owned(), details: None };
            self.outcome_step(world, at, &known, failed);
        }
    }

    /// R9: what others wrote is adopted, where the claim still stands.
    pub(super) fn beat_step(&mut self, world: &World, at: usize) {
        let mut after = *world;
        let host = &mut after.hosts[at];
        let loose = self.is(Mutant::BeatAdoptsEnds) && self.holds(world, &world.hosts[at]);
        let found = still_owned(self.stored(world), token(host.token));
        match found {
            Some((_, revision)) if small(revision) == host.exp => {}
            Some((_, revision)) => {
                host.rec = world.rec;
                host.exp = small(revision);
                self.step(Cause::Work, after, || format!("{}: beat: adopts revision {revision}", name(at)));
            }
            None if loose => {
                host.rec = world.rec;
                host.exp = world.rev;
                if world.rev != world.hosts[at].exp {
                    self.step(Cause::Work, after, || format!("{}: beat: adopts the end", name(at)));
                }
            }
            None => {
                *host = Host::default();
                self.step(Cause::Work, after, || format!("{}: beat: fenced", name(at)));
            }
        }
    }

    fn decided(&self, known: &Record, verdict: Verdict) -> Intent {
        let retry = retry_policy(&self.scenario);
        let draining = verdict == Verdict::Cancelled;
        let attempt = Attempt { record: known, retry: &retry, draining, jitter: 1.0 };
        match decide(&attempt, &Outcome::without_run(verdict)) {
            Decision::Succeed(_) => Intent::Success,
            Decision::Fail(_) => Intent::Failure,
            Decision::Retry { charge: true, .. } => Intent::Retry,
            Decision::Retry { charge: false, .. } => Intent::HandOff,
            Decision::Revoke => Intent::Revoked,
        }
    }

    fn outcome_step(&mut self, world: &World, at: usize, known: &Record, verdict: Verdict) {
        let cause = if matches!(verdict, Verdict::Failed { .. }) { Cause::Chance } else { Cause::Work };
        let intent = self.decided(known, verdict);
        let mut after = *world;
        if intent == Intent::Success && self.is(Mutant::AckBeforeTerminal) {
            let seq = world.hosts[at].msg.seq;
            if let Some(gone) = world.msgs.iter().position(|msg| msg.seq == seq) {
                after.msgs.remove(gone);
            }
        }
        if intent == Intent::Retry && self.is(Mutant::NakWithoutT3) {
            let msg = Msg { seq: world.hosts[at].msg.seq, ..Msg::default() };
            after.hosts[at] = Host { pc: At::Nak, msg, ..Host::default() };
            return self.step(cause, after, || format!("{}: guest error: nak alone", name(at)));
        }
        self.intend_step(&after, at, intent, cause);
    }

    fn intend_step(&mut self, world: &World, at: usize, intent: Intent, cause: Cause) {
        let mut after = *world;
        after.hosts[at] = self.intended(world, &world.hosts[at], intent);
        self.step(cause, after, || format!("{}: guest: {intent:?}", name(at)));
    }

    /// The host with its write built on the record that it holds; silent where the record does not take it.
    fn intended(&mut self, world: &World, host: &Host, intent: Intent) -> Host {
        let rec = host.rec.expect("an owner holds a record");
        let number = self.fresh(world);
        let write = WriteIntent {
            transition: event(intent),
            writer: Writer::Owner(token(host.token)),
            now: clock::now(),
            write: write_id(number),
        };
        let known = self.record(rec);
        let run = self.kept(rec).ghost.run;
        let built = match self.bypasses_next(known) {
            true => Ok(forced(known, &write)),
            false => transition(Some(known), &write),
        };
        match built {
            Ok(record) => {
                let pc = self.before_write(&record);
                let new = self.keep(record, Ghost { claim: host.claim, run });
                Host { pc, rec: Some(new), intent, ..*host }
            }
            // Progress is dropped: the guest sees `cancelled`.
            Err(Illegal::Revoked) if intent == Intent::Progress => {
                Host { pc: At::Run, intent: Intent::Claim, ..*host }
            }
            Err(_) => Host::default(),
        }
    }

    fn bypasses_next(&self, known: &Record) -> bool {
        self.is(Mutant::OldR5Order)
            || self.is(Mutant::BeatAdoptsEnds) && known.is_terminal()
            || self.is(Mutant::ReappliesOverRevoke) && known.revoke.is_some()
    }

    /// R5 for an owner.
    pub(super) fn owner_unknown_step(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        let written = self.record(host.rec.expect("who writes has a record")).clone();
        let mut after = *world;
        if self.is(Mutant::OldR5Order) && self.is_overwritten(world, &host, &written) {
            after.hosts[at] = self.applied_again(world, &host, world.rev);
            return self.step(Cause::Work, after, || format!("{}: R5, old: token mine, again", name(at)));
        }
        match resolve_write(&written, u64::from(host.exp), self.stored(world)) {
            WriteResolution::Landed(revision) => {
                let after = self.landed(world, at, host, small(revision));
                self.step(Cause::Work, after, || format!("{}: R5: it landed", name(at)));
            }
            WriteResolution::Unchanged => {
                after.hosts[at] = self.tried_again(world, &host);
                self.step(Cause::Work, after, || format!("{}: R5: unchanged, tries again", name(at)));
            }
            WriteResolution::Moved(stored) => match still_owned(stored, token(host.token)) {
                Some((_, revision)) => {
                    after.hosts[at] = self.applied_again(world, &host, small(revision));
                    self.step(Cause::Work, after, || {
                        format!("{}: R5: token mine, builds it again", name(at))
                    });
                }
                None => {
                    after.hosts[at] = Host::default();
                    self.step(Cause::Work, after, || format!("{}: R5: fenced", name(at)));
                }
            },
        }
    }

    fn is_overwritten(&self, world: &World, host: &Host, written: &Record) -> bool {
        let other =
            matches!(self.stored(world), StoredEntry::Record { record, .. } if record.write != written.write);
        other && self.holds(world, host)
    }

    /// On top of what stands; with a revoke there, REVOKED is all that an outcome may become.
    fn applied_again(&mut self, world: &World, host: &Host, revision: u8) -> Host {
        let found = world.rec.expect("it was read");
        let revoked = self.record(found).revoke.is_some() && !self.is(Mutant::ReappliesOverRevoke);
        let intent = if revoked && host.intent != Intent::Progress { Intent::Revoked } else { host.intent };
        let host = Host { rec: Some(found), exp: revision, ..*host };
        self.intended(world, &host, intent)
    }

    /// A write that is tried again: the same one, but for a mutant, which gives it new ids.
    pub(super) fn tried_again(&mut self, world: &World, host: &Host) -> Host {
        let host = Host { pc: At::Write, ..*host };
        if !self.is(Mutant::FreshWrites) {
            return host;
        }
        let rec = host.rec.expect("who writes has a record");
        let mut record = self.record(rec).clone();
        let mut ghost = self.kept(rec).ghost;
        let number = self.fresh(world);
        let mut claim = (host.claim, host.token);
        record.write = write_id(number);
        if host.intent == Intent::Claim {
            record.token = Some(token(number));
            ghost.claim = number;
            claim = (number, number);
        }
        Host { rec: Some(self.keep(record, ghost)), claim: claim.0, token: claim.1, ..host }
    }
}

fn event(intent: Intent) -> Transition {
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
