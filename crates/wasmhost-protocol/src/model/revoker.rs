//! A client that revokes (R12), after the client crate's `revoke`: T6 while nothing runs, else T9.

use crate::machine::sample::forged;
use crate::machine::{Transition, transition};
use crate::record::Revoke;

use crate::model::clock;
use crate::model::mutants::Mutant;
use crate::model::records::Rec;
use crate::model::steps::{Cause, Model, spend};
use crate::model::world::{Revoker, World, Write};

impl Model {
    pub(super) fn revoker_steps(&mut self, world: &World) {
        if let Some(new) = world.revoker.write.new {
            let what = if self.describe { self.word(new) } else { String::new() };
            if let Some(mut after) = spend(world, |left| &mut left.unknown) {
                after.net.push(world.revoker.write);
                after.revoker = Revoker::default();
                self.step(Cause::Chance, after, || format!("revoker: {what} has no answer, and it is gone"));
            }
            let landed = self.cas(world, new, world.revoker.write.exp);
            let how = if landed.is_some() { "lands" } else { "is refused" };
            let mut after = landed.unwrap_or(*world);
            // Refused, it decides again; the record of a job that it ended lives as one that never ran.
            after.left.revoke += u8::from(landed.is_none());
            after.brief |= landed.is_some() && self.record(new).is_terminal();
            after.revoker = Revoker::default();
            return self.step(Cause::Work, after, || format!("revoker: {what} {how}"));
        }
        let (Some(rec), Some(after)) = (world.rec, spend(world, |left| &mut left.revoke)) else { return };
        self.revoker_step(&after, rec, Transition::Revoked { reason: "unwanted".to_owned(), usage: None });
        let graces =
            if self.scenario.grace { vec![clock::ahead(), clock::soon()] } else { vec![clock::now()] };
        for stop_at in graces {
            self.revoker_step(
                &after,
                rec,
                Transition::RequestRevoke(Revoke { reason: "unwanted".to_owned(), stop_at }),
            );
        }
    }

    fn revoker_step(&mut self, world: &World, rec: Rec, event: Transition) {
        let change = self.client_change(world, event);
        let mut later = None;
        if let Transition::RequestRevoke(revoke) = &change.transition
            && self.may_force(rec)
        {
            later = Some(revoke.clone());
        }
        let held = self.record(rec);
        let record = match (transition(Some(held), &change), later) {
            (Ok(record), _) => record,
            (Err(_), Some(revoke)) if !held.is_terminal() => {
                forged!(held.clone(), revoke = Some(revoke), write = change.write)
            }
            (Err(_), _) => return,
        };
        let new = self.keep(record, self.kept(rec).ghost);
        let mut after = *world;
        after.revoker.write = Write { new: Some(new), exp: world.rev };
        let what = if self.describe { self.word(new) } else { String::new() };
        self.step(Cause::Chance, after, || format!("revoker: reads, and wants {what}"));
    }

    /// Whether a mutant writes what `next` refuses.
    fn may_force(&self, rec: Rec) -> bool {
        let unclaimed = self.record(rec).attempt == 0;
        self.is(Mutant::LaterStop) && !unclaimed || self.is(Mutant::StopsPending) && unclaimed
    }
}
