//! A submitting client with a PENDING record: it publishes, after the client crate's `submit::publish`, and where it is in
//! doubt it looks for the message, after `submit::find`.

use crate::record::Record;

use crate::model::client::is_scheduled;
use crate::model::clock;
use crate::model::mutants::Mutant;
use crate::model::records::Ghost;
use crate::model::server::delete;
use crate::model::steps::{Cause, Model, spend};
use crate::model::world::{Client, Gone, Msg, Place, Submitting, Why, World};

/// Where a message is looked for, in the direction in which it moves.
const PLACES: [Place; 3] = [Place::Schedule, Place::Due, Place::Jobs];

impl Model {
    pub(super) fn publish_step(&mut self, world: &World, at: usize) {
        let client = world.clients[at];
        let mut after = *world;
        if client.late {
            if client.own && !client.doubt && world.rev == client.exp {
                after = delete(world, Gone::Deleted);
            }
            after.clients[at] = Client::ended(Submitting::Dead);
            return self.client_step(Cause::Work, after, at, || {
                "is too late: T11 where it may, and fails".to_owned()
            });
        }
        // The subject of a schedule refuses a second one only until the first has fired.
        let scheduled = is_scheduled(self.record(client.rec.expect("it publishes for a record")));
        if scheduled && (client.doubt || !client.own) && !self.is(Mutant::NoTouch) {
            after.clients[at].pc = Submitting::Find { place: 0, first: true };
            return self.client_step(Cause::Work, after, at, || "looks for a message first".to_owned());
        }
        self.send_steps(world, at);
    }

    pub(super) fn send_steps(&mut self, world: &World, at: usize) {
        let client = world.clients[at];
        let what = self.message(&client);
        let mut after = *world;
        let stored = self.store(&mut after, what);
        if stored && !client.late {
            let after = self.accepted(&after, at);
            self.client_step(Cause::Work, after, at, || "its publish is acknowledged: accepted".to_owned());
        } else {
            after.clients[at].pc = self.confirming(&client);
            let how = if stored { "acknowledged, late" } else { "refused, or a duplicate" };
            self.client_step(Cause::Work, after, at, || format!("its publish is {how}"));
        }
        if let Some(mut after) = spend(world, |left| &mut left.late) {
            after.clients[at].pc = Submitting::Stuck;
            self.client_step(Cause::Chance, after, at, || {
                "its publish stays in a buffer, it waits".to_owned()
            });
        }
        if let Some(mut after) = spend(world, |left| &mut left.unanswered) {
            after.clients[at] = Client { pc: Submitting::Publish, doubt: true, ..client };
            after.buffered.push(what);
            self.client_step(Cause::Chance, after, at, || {
                "its publish stays in a buffer, no answer".to_owned()
            });
        }
    }

    /// The first look-up after a doubt.
    pub(super) fn confirming(&self, client: &Client) -> Submitting {
        let scheduled = is_scheduled(self.record(client.rec.expect("it published for a record")));
        Submitting::Find { place: if scheduled { 0 } else { 2 }, first: false }
    }

    pub(super) fn find_step(&mut self, world: &World, at: usize, (number, first): (u8, bool)) {
        if self.is(Mutant::NoTouch) {
            return self.meet_step(world, at);
        }
        let client = world.clients[at];
        let kept = self.kept(client.rec.expect("it holds a record"));
        let held = &kept.record;
        let ghost = kept.ghost;
        let place = PLACES[usize::from(number)];
        let there = || world.msgs.iter().filter(|msg| msg.place == place);
        if there().any(|msg| is_of_run((held, ghost), msg, client.args)) {
            return self.touch_step(world, at, Why::Stands);
        }
        let mut after = *world;
        // What is in the way is on the subject that the client publishes to.
        let own_place = if is_scheduled(held) { Place::Schedule } else { Place::Jobs };
        if place == own_place && there().next().is_some() {
            after.clients[at].pc = Submitting::Publish;
            return self.client_step(Cause::Work, after, at, || "an older job's message stands".to_owned());
        }
        if place != Place::Jobs {
            after.clients[at].pc = Submitting::Find { place: number + 1, first };
            return self.client_step(Cause::Work, after, at, || format!("finds none in {place:?}"));
        }
        if first {
            after.clients[at].pc = Submitting::Send;
            return self.client_step(Cause::Work, after, at, || "finds none, and publishes".to_owned());
        }
        self.touch_step(world, at, Why::Gone);
    }
}

/// R14, as a client asks it of a message.
fn is_of_run((held, ghost): (&Record, Ghost), msg: &Msg, own: u8) -> bool {
    // Its time of submission tells a message of another run, where it names one.
    if msg.what.args != own || msg.what.hdr != 0 && msg.what.run != ghost.run {
        return false;
    }
    let Some(after) = held.after else { return true };
    match msg.what.hdr {
        0 => clock::stored(msg.born) >= held.submitted_at,
        revision => u64::from(revision) >= after,
    }
}
