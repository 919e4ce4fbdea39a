//! A reconciler (R13): two scans a grace apart, each of up to three look-ups; the end that it writes is `end_of_gone`'s.

use crate::record::JobState;
use crate::rules::{DueMessageDecision, DueMessageTimes, decide_due_message, end_missing_job};
use crate::timestamp::Timestamp;

use crate::model::clock;
use crate::model::mutants::Mutant;
use crate::model::records::write_id;
use crate::model::server::clients_late;
use crate::model::steps::{Cause, Model, spend};
use crate::model::world::{Msg, Place, Recon, Reconciling, World, Write};

impl Model {
    pub(super) fn reconciler_steps(&mut self, world: &World, at: usize) {
        let recon = world.recons[at];
        let live = world.rec.is_some_and(|rec| !self.record(rec).is_terminal());
        let scan = |scan| Recon { pc: Reconciling::Scan(0), scan };
        let turn = |recon| {
            let mut after = *world;
            after.recons[at] = recon;
            after
        };
        self.due_message_steps(world, at);
        match recon.pc {
            Reconciling::Idle if live && !self.is_early(world) && !self.waits(world) => {
                self.step(Cause::Work, turn(scan(1)), || format!("reconciler {}: scan 1 reads", at + 1));
            }
            Reconciling::Idle => {}
            Reconciling::Scan(stage) => {
                let order = self.order();
                let place = order[usize::from(stage)];
                let found = world.msgs.iter().any(|msg| msg.place == place);
                let last = recon.scan == 2 || self.is(Mutant::OneScan);
                let pc = match stage {
                    _ if usize::from(stage) + 1 < order.len() => Reconciling::Scan(stage + 1),
                    _ if last => Reconciling::Write,
                    _ => Reconciling::Grace,
                };
                let next = if found { Recon::default() } else { Recon { pc, ..recon } };
                let what = if found { "found" } else { "none" };
                self.step(Cause::Work, turn(next), || format!("reconciler {}: {what} in {place:?}", at + 1));
            }
            Reconciling::Grace => {
                let after = clients_late(&turn(scan(2)));
                self.step(Cause::Work, after, || format!("reconciler {}: 60 s pass, scan 2 reads", at + 1));
            }
            Reconciling::Write => self.reconciler_write(world, at),
        }
    }

    /// What fired and has no copy in the job stream: it goes with a job that has ended, else the job gets it.
    fn due_message_steps(&mut self, world: &World, at: usize) {
        let number = at + 1;
        let queued = world.msgs.iter().any(|msg| msg.place == Place::Jobs);
        let left = world.msgs.iter().position(|msg| msg.place == Place::Due && msg.taken);
        let Some(left) = left.filter(|_| !queued) else { return };
        let fired = world.msgs[left];
        let revision = (fired.what.hdr > 0).then(|| u64::from(fired.what.hdr));
        let mut after = *world;
        let now = clock::now();
        let times = DueMessageTimes { fired_at: now, bucket_created: Timestamp::from_unix_ms(0), now };
        match decide_due_message(&self.stored(world), revision, times) {
            DueMessageDecision::Leave => {}
            DueMessageDecision::Delete => {
                after.msgs.remove(left);
                self.step(Cause::Work, after, || format!("reconciler {number}: removes what fired"));
            }
            DueMessageDecision::Publish => {
                after.seqs += 1;
                let copy = Msg { seq: after.seqs, place: Place::Jobs, taken: false, ..fired };
                after.msgs.push(copy);
                if let Some(after) = spend(&after, |left| &mut left.crash) {
                    self.step(Cause::Chance, after, || {
                        format!("reconciler {number}: queues what fired, and dies")
                    });
                }
                after.msgs.remove(left);
                self.step(Cause::Work, after, || format!("reconciler {number}: queues what fired"));
            }
        }
    }

    /// Where nobody writes schedules, looking for one makes no difference.
    fn order(&self) -> &'static [Place] {
        match (self.scenario.place, self.is(Mutant::JobsBeforeSchedules)) {
            (Place::Jobs, _) => &[Place::Jobs],
            (Place::Schedule | Place::Due, true) => &[Place::Jobs, Place::Due, Place::Schedule],
            (Place::Schedule | Place::Due, false) => &[Place::Schedule, Place::Due, Place::Jobs],
        }
    }

    fn reconciler_write(&mut self, world: &World, at: usize) {
        let mut after = *world;
        after.recons[at] = Recon::default();
        let rec = world.rec.expect("what it saw twice stands");
        let record = self.record(rec).clone();
        let running = matches!(record.stage, JobState::Running(_));
        if self.is(Mutant::NoT6bForReconciler) && running && record.revoke.is_some() {
            return self.step(Cause::Work, after, || format!("reconciler {}: nothing it may write", at + 1));
        }
        let write = write_id(self.fresh(world));
        let ended = end_missing_job(&record, clock::now(), write).expect("the job has not ended");
        let new = self.keep(ended, self.kept(rec).ghost);
        let what = if self.describe { self.word(new) } else { String::new() };
        if let Some(mut after) = spend(&after, |left| &mut left.unknown) {
            after.net.push(Write { new: Some(new), exp: world.rev });
            self.step(Cause::Chance, after, || format!("reconciler {}: {what} has no answer", at + 1));
        }
        let landed = self.cas(&after, new, world.rev).expect("its revision stands");
        self.step(Cause::Work, landed, || format!("reconciler {}: {what}", at + 1));
    }
}
