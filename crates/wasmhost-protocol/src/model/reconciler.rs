//! A reconciler: two scans a grace apart, each of up to three look-ups. The end that it writes comes from
//! `end_missing_job`, and what it does with a due message from `decide_due_message`.

use crate::record::JobState;
use crate::rules::{DueMessageDecision, DueMessageTimes, decide_due_message, end_missing_job};
use crate::timestamp::Timestamp;

use crate::model::clock;
use crate::model::mutants::Mutant;
use crate::model::records::write_id;
use crate::model::server::clients_late;
use crate::model::steps::{Cause, Model, spend};
use crate::model::world::{Location, Message, Reconciler, ReconcilerStep, World, Write};

impl Model {
    pub(super) fn reconciler_steps(&mut self, world: &World, at: usize) {
        let reconciler = world.reconcilers[at];
        let has_open_job = world.record_id.is_some_and(|record_id| !self.record(record_id).is_terminal());
        let scan = |scan| Reconciler { step: ReconcilerStep::Scan(0), scan };
        let with = |reconciler| {
            let mut after = *world;
            after.reconcilers[at] = reconciler;
            after
        };
        self.due_message_steps(world, at);
        match reconciler.step {
            ReconcilerStep::Idle
                if has_open_job && !self.has_retry_waiting(world) && !self.has_delayed_job_waiting(world) =>
            {
                self.step(Cause::Work, with(scan(1)), || format!("reconciler {}: scan 1 reads", at + 1));
            }
            ReconcilerStep::Idle => {}
            ReconcilerStep::Scan(stage) => {
                let order = self.order();
                let location = order[usize::from(stage)];
                let found = world.messages.iter().any(|message| message.location == location);
                let last = reconciler.scan == 2 || self.is(Mutant::OneScan);
                let step = match stage {
                    _ if usize::from(stage) + 1 < order.len() => ReconcilerStep::Scan(stage + 1),
                    _ if last => ReconcilerStep::Write,
                    _ => ReconcilerStep::Grace,
                };
                let next = if found { Reconciler::default() } else { Reconciler { step, ..reconciler } };
                let what = if found { "found" } else { "none" };
                self.step(Cause::Work, with(next), || {
                    format!("reconciler {}: {what} in {location:?}", at + 1)
                });
            }
            ReconcilerStep::Grace => {
                // No client publishes for longer than half of a grace, so that every client is late by the
                // second scan.
                let after = clients_late(&with(scan(2)));
                self.step(Cause::Work, after, || format!("reconciler {}: 60 s pass, scan 2 reads", at + 1));
            }
            ReconcilerStep::Write => self.reconciler_write(world, at),
        }
    }

    /// Takes the steps for a due message that has no copy in the job stream.
    fn due_message_steps(&mut self, world: &World, at: usize) {
        let number = at + 1;
        let has_copy = world.messages.iter().any(|message| message.location == Location::Jobs);
        let due =
            world.messages.iter().position(|message| message.location == Location::Due && message.sourced);
        let Some(due) = due.filter(|_| !has_copy) else { return };
        let fired = world.messages[due];
        let revision = (fired.publish.revision > 0).then(|| u64::from(fired.publish.revision));
        let mut after = *world;
        let now = clock::now();
        let times = DueMessageTimes { fired_at: now, bucket_created: Timestamp::from_unix_ms(0), now };
        match decide_due_message(&self.stored_entry(world), revision, times) {
            DueMessageDecision::Leave => {}
            DueMessageDecision::Delete => {
                after.messages.remove(due);
                self.step(Cause::Work, after, || format!("reconciler {number}: deletes the due message"));
            }
            DueMessageDecision::Publish => {
                after.last_seq += 1;
                let copy = Message { seq: after.last_seq, location: Location::Jobs, sourced: false, ..fired };
                after.messages.push(copy);
                if let Some(after) = spend(&after, |budgets| &mut budgets.crash) {
                    self.step(Cause::Chance, after, || {
                        format!("reconciler {number}: publishes the due message, and dies")
                    });
                }
                after.messages.remove(due);
                self.step(Cause::Work, after, || format!("reconciler {number}: publishes the due message"));
            }
        }
    }

    /// Returns the locations in the order in which a scan looks into them: the direction in which messages
    /// move, so that none moves past a scan. Where nobody writes schedules, only the job stream is looked
    /// into, which makes the search smaller.
    fn order(&self) -> &'static [Location] {
        match (self.scenario.location, self.is(Mutant::JobsBeforeSchedules)) {
            (Location::Jobs, _) => &[Location::Jobs],
            (Location::Schedule | Location::Due, true) => {
                &[Location::Jobs, Location::Due, Location::Schedule]
            }
            (Location::Schedule | Location::Due, false) => {
                &[Location::Schedule, Location::Due, Location::Jobs]
            }
        }
    }

    fn reconciler_write(&mut self, world: &World, at: usize) {
        let mut after = *world;
        after.reconcilers[at] = Reconciler::default();
        let record_id = world.record_id.expect("a scan starts again where the record changes");
        let record = self.record(record_id).clone();
        let is_running = matches!(record.state, JobState::Running(_));
        if self.is(Mutant::NoRevokedByReconciler) && is_running && record.revoke.is_some() {
            return self.step(Cause::Work, after, || format!("reconciler {}: nothing it may write", at + 1));
        }
        let write = write_id(self.fresh_number(world));
        let ended = end_missing_job(&record, clock::now(), write).expect("the job has not ended");
        let new = self.intern(ended, self.interned(record_id).ghost);
        let what = if self.describe { self.describe_record(new) } else { String::new() };
        if let Some(mut after) = spend(&after, |budgets| &mut budgets.unknown) {
            after.in_flight.push(Write { record_id: Some(new), expected: world.revision });
            self.step(Cause::Chance, after, || format!("reconciler {}: {what} has no answer", at + 1));
        }
        let confirmed =
            self.compare_and_set(&after, new, world.revision).expect("the revision is the newest");
        self.step(Cause::Work, confirmed, || format!("reconciler {}: {what}", at + 1));
    }
}
