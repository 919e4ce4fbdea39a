//! A submitting client (R1), after the client crate's `submit`: T0, then the message; in doubt, a touch.

use crate::machine::{JobSpec, Transition, WriteIntent, Writer, transition};
use crate::record::{ErrorKind, JobState, Record};
use crate::rules::{WriteResolution, resolve_write};

use crate::model::clock;
use crate::model::host::small;
use crate::model::invariants::is_failure;
use crate::model::mutants::Mutant;
use crate::model::records::{Ghost, write_id};
use crate::model::steps::{Cause, Model, args, spend};

use crate::model::world::{Client, Place, Publish, Submitting, Why, World, Write};

impl Client {
    /// Whether it is at work.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.pc, Submitting::Idle | Submitting::Done | Submitting::Dead)
    }

    pub(super) fn ended(pc: Submitting) -> Self {
        Self { pc, ..Self::default() }
    }
}

impl Model {
    pub(super) fn client_steps(&mut self, world: &World, at: usize) {
        let client = world.clients[at];
        if client.is_busy()
            && let Some(mut after) = spend(world, |left| &mut left.client_crash)
        {
            if client.pc == Submitting::Stuck {
                after.buffered.push(self.message(&client));
            }
            after.clients[at] = Client::ended(Submitting::Dead);
            self.client_step(Cause::Chance, after, at, || format!("dies at {:?}", client.pc));
        }
        match client.pc {
            Submitting::Idle => {
                // Most ids are new: T0 without a read.
                let after = self.created(world, at, 0);
                self.client_step(Cause::Chance, after, at, || "submits".to_owned());
            }
            Submitting::Write(why) => self.client_write_steps(world, at, why),
            Submitting::Unknown(why) => self.client_unknown_steps(world, at, why),
            Submitting::Publish => self.publish_step(world, at),
            Submitting::Send => self.send_steps(world, at),
            Submitting::Stuck => {
                let mut after = *world;
                let stored = self.store(&mut after, self.message(&client));
                after.clients[at].pc = self.confirming(&client);
                self.client_step(Cause::Work, after, at, || {
                    format!("its publish lands late, stored: {stored}")
                });
            }
            Submitting::Find { place, first } => self.find_step(world, at, (place, first)),
            Submitting::Done | Submitting::Dead => {}
        }
    }

    pub(super) fn client_step(&mut self, cause: Cause, to: World, at: usize, label: impl FnOnce() -> String) {
        self.step(cause, to, || format!("client {}: {}", at + 1, label()));
    }

    /// The world with its T0 over revision `exp` under way.
    fn created(&mut self, world: &World, at: usize, exp: u8) -> World {
        let mut after = *world;
        after.runs += 1;
        // Over a delete marker it is another job, for a time of its own.
        let scheduled = self.scenario.place == Place::Schedule && (!world.due || exp > 0);
        after.due &= !scheduled;
        let client = &world.clients[at];
        let job = JobSpec {
            submitted_at: clock::submitted(world.writes),
            expires_at: self.expires_at(world),
            args_digest: Some(args(client.args)),
            not_before: scheduled.then(clock::ahead),
            after: (exp > 0).then(|| u64::from(exp)),
            ..self.blank_submission()
        };
        let intent = self.client_change(world, Transition::Submit(job));
        let record = transition(None, &intent).expect("a client may record a job where none stands");
        let rec = self.keep(record, Ghost { claim: 0, run: after.runs });
        let pc = Submitting::Write(Why::Submit);
        after.clients[at] = Client { pc, rec: Some(rec), exp, ..*client };
        after
    }

    pub(super) fn client_change(&self, world: &World, event: Transition) -> WriteIntent {
        let write = write_id(self.fresh(world));
        WriteIntent { transition: event, writer: Writer::Client, now: clock::now(), write }
    }

    fn client_write_steps(&mut self, world: &World, at: usize, why: Why) {
        let client = world.clients[at];
        let rec = client.rec.expect("who writes has a record");
        match self.cas(world, rec, client.exp) {
            Some(after) => {
                let after = self.client_landed(&after, at, why, after.rev);
                self.client_step(Cause::Work, after, at, || format!("its write lands: {why:?}"));
            }
            None => {
                let mut after = *world;
                after.clients[at].pc = Submitting::Unknown(why);
                self.client_step(Cause::Work, after, at, || format!("its write is refused: {why:?}"));
            }
        }
        if let Some(mut after) = spend(world, |left| &mut left.unknown) {
            after.net.push(Write { new: Some(rec), exp: client.exp });
            after.clients[at].pc = Submitting::Unknown(why);
            self.client_step(Cause::Chance, after, at, || format!("its write has no answer: {why:?}"));
        }
    }

    fn client_landed(&self, world: &World, at: usize, why: Why, revision: u8) -> World {
        let client = world.clients[at];
        let own = match why {
            Why::Submit => true,
            Why::Met => false,
            Why::Stands => return self.accepted(world, at),
            Why::Gone => client.own,
        };
        let mut after = *world;
        after.clients[at] = Client { pc: Submitting::Publish, exp: revision, own, ..client };
        after
    }

    pub(super) fn accepted(&self, world: &World, at: usize) -> World {
        let mut after = *world;
        let rec = world.clients[at].rec.expect("a job is accepted by its record");
        after.ghost.accepted |= 1 << self.kept(rec).ghost.run;
        after.clients[at] = Client::ended(Submitting::Done);
        after
    }

    fn client_unknown_steps(&mut self, world: &World, at: usize, why: Why) {
        let client = world.clients[at];
        let written = self.record(client.rec.expect("who writes has a record")).clone();
        if client.late {
            let mut after = *world;
            after.clients[at] = Client::ended(Submitting::Dead);
            self.client_step(Cause::Work, after, at, || "gives up: no answer".to_owned());
        }
        match resolve_write(&written, u64::from(client.exp), self.stored(world)) {
            WriteResolution::Landed(revision) => {
                let after = self.client_landed(world, at, why, small(revision));
                self.client_step(Cause::Work, after, at, || format!("R5: it landed: {why:?}"));
            }
            WriteResolution::Unchanged => {
                let mut after = *world;
                after.clients[at].pc = Submitting::Write(why);
                self.client_step(Cause::Work, after, at, || "R5: unchanged, tries again".to_owned());
            }
            WriteResolution::Moved(_) => self.meet_step(world, at),
        }
    }

    /// Decides by what stands.
    pub(super) fn meet_step(&mut self, world: &World, at: usize) {
        let mut after = *world;
        let client = &mut after.clients[at];
        let Some(rec) = world.rec else {
            if client.late || world.odd.is_some() {
                *client = Client::ended(Submitting::Dead);
                return self.client_step(Cause::Work, after, at, || "fails: no record of its own".to_owned());
            }
            let after = self.created(world, at, world.rev);
            return self.client_step(Cause::Work, after, at, || "nothing stands: T0 again".to_owned());
        };
        let record = self.record(rec).clone();
        client.rec = Some(rec);
        client.exp = world.rev;
        if is_failure(&record, ErrorKind::NotPublished) || record.args_digest != Some(args(client.args)) {
            *client = Client::ended(Submitting::Done);
            return self
                .client_step(Cause::Work, after, at, || "is told NotPublished or Conflict".to_owned());
        }
        match record.stage {
            JobState::Pending { .. } if self.is(Mutant::NoTouch) && world.msgs.is_empty() => {
                *client = Client { pc: Submitting::Publish, own: false, ..*client };
                self.client_step(Cause::Work, after, at, || "no message: publishes again".to_owned());
            }
            JobState::Pending { .. } if !self.is(Mutant::NoTouch) => self.touch_step(&after, at, Why::Met),
            JobState::Pending { .. }
            | JobState::Running(_)
            | JobState::Retry { .. }
            | JobState::Ended { .. } => {
                let after = self.accepted(&after, at);
                self.client_step(Cause::Work, after, at, || "gets the handle: accepted".to_owned());
            }
        }
    }

    /// T0b on the record that it holds.
    pub(super) fn touch_step(&mut self, world: &World, at: usize, why: Why) {
        let mut after = *world;
        let held = world.clients[at].rec.expect("it touches what it holds");
        let intent = self.client_change(world, Transition::Touch);
        let touched = transition(Some(self.record(held)), &intent)
            .expect("a client may touch PENDING without an attempt");
        let rec = self.keep(touched, self.kept(held).ghost);
        let client = &mut after.clients[at];
        client.rec = Some(rec);
        client.pc = Submitting::Write(why);
        client.touches = (client.touches + 1).min(self.scenario.touches);
        client.late |= client.touches == self.scenario.touches;
        self.client_step(Cause::Work, after, at, || format!("touches: {why:?}"));
    }

    pub(super) fn message(&self, client: &Client) -> Publish {
        let kept = self.kept(client.rec.expect("it publishes for a record"));
        let submitted = small(kept.record.submitted_at.unix_ms().unsigned_abs() / 1000);
        let scheduled = is_scheduled(&kept.record);
        Publish { hdr: client.exp, args: client.args, submitted, run: kept.ghost.run, scheduled }
    }
}

/// Whether it is for a schedule to bring the job's message.
pub(super) fn is_scheduled(held: &Record) -> bool {
    matches!(held.stage, JobState::Pending { not_before: Some(_) })
}
