//! A client that revokes, modelled after the client crate's `revoke`: it ends the job while nothing runs, and
//! else asks the owner to stop it.

use crate::machine::sample::forged;
use crate::machine::{Transition, transition};
use crate::record::Revoke;

use crate::model::clock;
use crate::model::mutants::Mutant;
use crate::model::records::RecordId;
use crate::model::steps::{Cause, Model, spend};
use crate::model::world::{Revoker, World, Write};

impl Model {
    pub(super) fn revoker_steps(&mut self, world: &World) {
        if let Some(new) = world.revoker.write.record_id {
            let what = if self.describe { self.describe_record(new) } else { String::new() };
            if let Some(mut after) = spend(world, |budgets| &mut budgets.unknown) {
                after.in_flight.push(world.revoker.write);
                after.revoker = Revoker::default();
                self.step(Cause::Chance, after, || format!("revoker: {what} has no answer, and it is gone"));
            }
            let confirmed = self.compare_and_set(world, new, world.revoker.write.expected);
            let how = if confirmed.is_some() { "is stored" } else { "is refused" };
            let mut after = confirmed.unwrap_or(*world);
            // A client whose write is refused decides again. The record of a job that it ended is kept as
            // long as that of a job that never ran.
            after.budgets.revoke += u8::from(confirmed.is_none());
            after.short_lived |= confirmed.is_some() && self.record(new).is_terminal();
            after.revoker = Revoker::default();
            return self.step(Cause::Work, after, || format!("revoker: {what} {how}"));
        }
        let (Some(record_id), Some(after)) = (world.record_id, spend(world, |budgets| &mut budgets.revoke))
        else {
            return;
        };
        self.revoker_step(
            &after,
            record_id,
            Transition::Revoked { reason: "unwanted".to_owned(), usage: None },
        );
        let graces = if self.scenario.revoke_has_grace {
            vec![clock::ahead(), clock::soon()]
        } else {
            vec![clock::now()]
        };
        for stop_at in graces {
            self.revoker_step(
                &after,
                record_id,
                Transition::RequestRevoke(Revoke { reason: "unwanted".to_owned(), stop_at }),
            );
        }
    }

    fn revoker_step(&mut self, world: &World, record_id: RecordId, revocation: Transition) {
        let intent = self.client_intent(world, revocation);
        let mut later = None;
        if let Transition::RequestRevoke(revoke) = &intent.transition
            && self.may_force(record_id)
        {
            later = Some(revoke.clone());
        }
        let stored = self.record(record_id);
        let record = match (transition(Some(stored), &intent), later) {
            (Ok(record), _) => record,
            (Err(_), Some(revoke)) if !stored.is_terminal() => {
                forged!(stored.clone(), revoke = Some(revoke), write = intent.write)
            }
            (Err(_), _) => return,
        };
        let new = self.intern(record, self.interned(record_id).ghost);
        let mut after = *world;
        after.revoker.write = Write { record_id: Some(new), expected: world.revision };
        let what = if self.describe { self.describe_record(new) } else { String::new() };
        self.step(Cause::Chance, after, || format!("revoker: reads, and intends {what}"));
    }

    /// Returns whether a mutant writes what the state machine refuses.
    fn may_force(&self, record_id: RecordId) -> bool {
        let is_unclaimed = self.record(record_id).attempt == 0;
        self.is(Mutant::StopMovesLater) && !is_unclaimed || self.is(Mutant::StopsUnclaimed) && is_unclaimed
    }
}
