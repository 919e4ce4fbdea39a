//! A submitting client, modelled after the client crate's `submit`: it records the job, then publishes its
//! message, and in doubt touches the record.

use crate::machine::{JobSpec, Transition, WriteIntent, Writer, transition};
use crate::record::{ErrorKind, JobState, Record};
use crate::rules::{WriteResolution, resolve_write};

use crate::model::clock;
use crate::model::invariants::is_failure;
use crate::model::mutants::Mutant;
use crate::model::records::{Ghost, write_id};
use crate::model::steps::{Cause, Model, args, spend, to_u8};

use crate::model::world::{Client, ClientStep, Location, Publish, World, Write, WriteReason};

impl Client {
    /// Returns whether the client is at work.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.step, ClientStep::Idle | ClientStep::Done | ClientStep::Dead)
    }

    pub(super) fn ended(step: ClientStep) -> Self {
        Self { step, ..Self::default() }
    }
}

impl Model {
    pub(super) fn client_steps(&mut self, world: &World, at: usize) {
        let client = world.clients[at];
        if client.is_busy()
            && let Some(mut after) = spend(world, |budgets| &mut budgets.client_crash)
        {
            if client.step == ClientStep::Buffered {
                after.buffered.push(self.message(&client));
            }
            after.clients[at] = Client::ended(ClientStep::Dead);
            self.client_step(Cause::Chance, after, at, || format!("dies at {:?}", client.step));
        }
        match client.step {
            ClientStep::Idle => {
                // Most ids are new, so that a client records the job without a read.
                let after = self.start_submission(world, at, 0);
                self.client_step(Cause::Chance, after, at, || "submits".to_owned());
            }
            ClientStep::Write(why) => self.client_write_steps(world, at, why),
            ClientStep::Unknown(why) => self.client_unknown_steps(world, at, why),
            ClientStep::Publish => self.publish_step(world, at),
            ClientStep::Send => self.send_steps(world, at),
            ClientStep::Buffered => {
                let mut after = *world;
                let stored = self.store_message(&mut after, self.message(&client));
                after.clients[at].step = self.confirming(&client);
                self.client_step(Cause::Work, after, at, || {
                    format!("its publish arrives late, stored: {stored}")
                });
            }
            ClientStep::Find { location, first } => self.find_step(world, at, (location, first)),
            ClientStep::Done | ClientStep::Dead => {}
        }
    }

    pub(super) fn client_step(&mut self, cause: Cause, to: World, at: usize, label: impl FnOnce() -> String) {
        self.step(cause, to, || format!("client {}: {}", at + 1, label()));
    }

    /// Returns the state in which the client records the job over the revision `expected`.
    fn start_submission(&mut self, world: &World, at: usize, expected: u8) -> World {
        let mut after = *world;
        after.generations += 1;
        // Over a delete marker it is another job, which is due at a time of its own.
        let scheduled = self.scenario.location == Location::Schedule && (!world.due || expected > 0);
        after.due &= !scheduled;
        let client = &world.clients[at];
        let job = JobSpec {
            submitted_at: clock::submitted(world.writes),
            expires_at: self.expires_at(world),
            args_digest: Some(args(client.args)),
            not_before: scheduled.then(clock::ahead),
            after: (expected > 0).then(|| u64::from(expected)),
            ..self.blank_submission()
        };
        let intent = self.client_intent(world, Transition::Submit(job));
        let record = transition(None, &intent).expect("a client may record a job where there is none");
        let record_id = self.intern(record, Ghost { claim: 0, generation: after.generations });
        let step = ClientStep::Write(WriteReason::Submit);
        after.clients[at] = Client { step, record_id: Some(record_id), expected, ..*client };
        after
    }

    pub(super) fn client_intent(&self, world: &World, transition: Transition) -> WriteIntent {
        let write = write_id(self.fresh_number(world));
        WriteIntent { transition, writer: Writer::Client, now: clock::now(), write }
    }

    fn client_write_steps(&mut self, world: &World, at: usize, why: WriteReason) {
        let client = world.clients[at];
        let record_id = client.record_id.expect("whoever writes has a record");
        match self.compare_and_set(world, record_id, client.expected) {
            Some(after) => {
                let after = self.client_confirmed(&after, at, why, after.revision);
                self.client_step(Cause::Work, after, at, || format!("its write is stored: {why:?}"));
            }
            None => {
                let mut after = *world;
                after.clients[at].step = ClientStep::Unknown(why);
                self.client_step(Cause::Work, after, at, || format!("its write is refused: {why:?}"));
            }
        }
        if let Some(mut after) = spend(world, |budgets| &mut budgets.unknown) {
            after.in_flight.push(Write { record_id: Some(record_id), expected: client.expected });
            after.clients[at].step = ClientStep::Unknown(why);
            self.client_step(Cause::Chance, after, at, || format!("its write has no answer: {why:?}"));
        }
    }

    fn client_confirmed(&self, world: &World, at: usize, why: WriteReason, revision: u8) -> World {
        let client = world.clients[at];
        let own = match why {
            WriteReason::Submit => true,
            WriteReason::Met => false,
            WriteReason::Found => return self.accepted(world, at),
            WriteReason::NotFound => client.own,
        };
        let mut after = *world;
        after.clients[at] = Client { step: ClientStep::Publish, expected: revision, own, ..client };
        after
    }

    pub(super) fn accepted(&self, world: &World, at: usize) -> World {
        let mut after = *world;
        let record_id = world.clients[at].record_id.expect("a job is accepted by its record");
        after.ghost.accepted |= 1 << self.interned(record_id).ghost.generation;
        after.clients[at] = Client::ended(ClientStep::Done);
        after
    }

    fn client_unknown_steps(&mut self, world: &World, at: usize, why: WriteReason) {
        let client = world.clients[at];
        let written = self.record(client.record_id.expect("whoever writes has a record")).clone();
        if client.late {
            let mut after = *world;
            after.clients[at] = Client::ended(ClientStep::Dead);
            self.client_step(Cause::Work, after, at, || "gives up: no answer".to_owned());
        }
        match resolve_write(&written, u64::from(client.expected), self.stored_entry(world)) {
            WriteResolution::Stored(revision) => {
                let after = self.client_confirmed(world, at, why, to_u8(revision));
                self.client_step(Cause::Work, after, at, || format!("its write was stored: {why:?}"));
            }
            WriteResolution::Unchanged => {
                let mut after = *world;
                after.clients[at].step = ClientStep::Write(why);
                self.client_step(Cause::Work, after, at, || "nothing has changed, tries again".to_owned());
            }
            WriteResolution::Superseded(_) => self.decide_again_step(world, at),
        }
    }

    /// Decides again, by the stored entry.
    pub(super) fn decide_again_step(&mut self, world: &World, at: usize) {
        let mut after = *world;
        let client = &mut after.clients[at];
        let Some(record_id) = world.record_id else {
            if client.late || world.foreign.is_some() {
                *client = Client::ended(ClientStep::Dead);
                return self.client_step(Cause::Work, after, at, || "fails: no record of its own".to_owned());
            }
            let after = self.start_submission(world, at, world.revision);
            return self
                .client_step(Cause::Work, after, at, || "there is no record: records again".to_owned());
        };
        let record = self.record(record_id).clone();
        client.record_id = Some(record_id);
        client.expected = world.revision;
        if is_failure(&record, ErrorKind::NotPublished) || record.args_digest != Some(args(client.args)) {
            *client = Client::ended(ClientStep::Done);
            return self
                .client_step(Cause::Work, after, at, || "is told NotPublished or Conflict".to_owned());
        }
        match record.state {
            JobState::Pending { .. }
                if self.is(Mutant::ReadsInsteadOfTouching) && world.messages.is_empty() =>
            {
                *client = Client { step: ClientStep::Publish, own: false, ..*client };
                self.client_step(Cause::Work, after, at, || "no message: publishes again".to_owned());
            }
            JobState::Pending { .. } if !self.is(Mutant::ReadsInsteadOfTouching) => {
                self.touch_step(&after, at, WriteReason::Met)
            }
            JobState::Pending { .. }
            | JobState::Running(_)
            | JobState::Retry { .. }
            | JobState::Ended { .. } => {
                let after = self.accepted(&after, at);
                self.client_step(Cause::Work, after, at, || "gets the handle: accepted".to_owned());
            }
        }
    }

    /// Touches the record that the client has read.
    pub(super) fn touch_step(&mut self, world: &World, at: usize, why: WriteReason) {
        let mut after = *world;
        let touched_id = world.clients[at].record_id.expect("whoever touches has a record");
        let intent = self.client_intent(world, Transition::Touch);
        let touched = transition(Some(self.record(touched_id)), &intent)
            .expect("a client may touch PENDING without an attempt");
        let record_id = self.intern(touched, self.interned(touched_id).ghost);
        let client = &mut after.clients[at];
        client.record_id = Some(record_id);
        client.step = ClientStep::Write(why);
        client.touches = (client.touches + 1).min(self.scenario.touches);
        client.late |= client.touches == self.scenario.touches;
        self.client_step(Cause::Work, after, at, || format!("touches: {why:?}"));
    }

    /// Returns the message that the client publishes for its record.
    pub(super) fn message(&self, client: &Client) -> Publish {
        let interned = self.interned(client.record_id.expect("whoever publishes has a record"));
        let submitted = to_u8(interned.record.submitted_at.unix_ms().unsigned_abs() / 1000);
        let scheduled = is_scheduled(&interned.record);
        Publish {
            revision: client.expected,
            args: client.args,
            submitted,
            generation: interned.ghost.generation,
            scheduled,
        }
    }
}

/// Returns whether the job's message is published as a schedule.
pub(super) fn is_scheduled(record: &Record) -> bool {
    matches!(record.state, JobState::Pending { not_before: Some(_) })
}
