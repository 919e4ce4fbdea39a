//! A submitting client with a PENDING record: it publishes, modelled after the client crate's
//! `submit::publish`, and in doubt looks for its message, modelled after `submit::find`.

use crate::record::Record;

use crate::model::client::is_scheduled;
use crate::model::clock;
use crate::model::mutants::Mutant;
use crate::model::records::Ghost;
use crate::model::server::delete;
use crate::model::steps::{Cause, Model, spend};
use crate::model::world::{Client, ClientStep, Deletion, Location, Message, World, WriteReason};

/// The locations in which a message is looked for, in the direction in which it moves, so that it cannot move
/// past the client.
const LOCATIONS: [Location; 3] = [Location::Schedule, Location::Due, Location::Jobs];

impl Model {
    pub(super) fn publish_step(&mut self, world: &World, at: usize) {
        let client = world.clients[at];
        let mut after = *world;
        if client.late {
            if client.own && !client.doubt && world.revision == client.expected {
                after = delete(world, Deletion::Deleted);
            }
            after.clients[at] = Client::ended(ClientStep::Dead);
            return self.client_step(Cause::Work, after, at, || {
                "is too late: takes its record back where it may, and fails".to_owned()
            });
        }
        // The subject of a schedule refuses a second one only until the first has fired, so that in doubt the
        // client looks first.
        let scheduled = is_scheduled(self.record(client.record_id.expect("whoever publishes has a record")));
        if scheduled && (client.doubt || !client.own) && !self.is(Mutant::ReadsInsteadOfTouching) {
            after.clients[at].step = ClientStep::Find { location: 0, first: true };
            return self.client_step(Cause::Work, after, at, || "looks for a message first".to_owned());
        }
        self.send_steps(world, at);
    }

    pub(super) fn send_steps(&mut self, world: &World, at: usize) {
        let client = world.clients[at];
        let publish = self.message(&client);
        let mut after = *world;
        let stored = self.store_message(&mut after, publish);
        if stored && !client.late {
            let after = self.accepted(&after, at);
            self.client_step(Cause::Work, after, at, || "its publish is acknowledged: accepted".to_owned());
        } else {
            after.clients[at].step = self.confirming(&client);
            let how = if stored { "acknowledged, late" } else { "refused, or a duplicate" };
            self.client_step(Cause::Work, after, at, || format!("its publish is {how}"));
        }
        if let Some(mut after) = spend(world, |budgets| &mut budgets.late) {
            after.clients[at].step = ClientStep::Buffered;
            self.client_step(Cause::Chance, after, at, || {
                "its publish stays in a buffer, it waits".to_owned()
            });
        }
        if let Some(mut after) = spend(world, |budgets| &mut budgets.unanswered) {
            after.clients[at] = Client { step: ClientStep::Publish, doubt: true, ..client };
            after.buffered.push(publish);
            self.client_step(Cause::Chance, after, at, || {
                "its publish stays in a buffer, no answer".to_owned()
            });
        }
    }

    /// Returns the first look-up of a client in doubt.
    pub(super) fn confirming(&self, client: &Client) -> ClientStep {
        let scheduled = is_scheduled(self.record(client.record_id.expect("whoever publishes has a record")));
        ClientStep::Find { location: if scheduled { 0 } else { 2 }, first: false }
    }

    pub(super) fn find_step(&mut self, world: &World, at: usize, (number, first): (u8, bool)) {
        if self.is(Mutant::ReadsInsteadOfTouching) {
            return self.decide_again_step(world, at);
        }
        let client = world.clients[at];
        let interned = self.interned(client.record_id.expect("whoever publishes has a record"));
        let record = &interned.record;
        let ghost = interned.ghost;
        let location = LOCATIONS[usize::from(number)];
        let messages = || world.messages.iter().filter(|message| message.location == location);
        if messages().any(|message| is_of_same_use((record, ghost), message, client.args)) {
            return self.touch_step(world, at, WriteReason::Found);
        }
        let mut after = *world;
        // Another message is in the way only on the subject to which the client publishes.
        let own_location = if is_scheduled(record) { Location::Schedule } else { Location::Jobs };
        if location == own_location && messages().next().is_some() {
            after.clients[at].step = ClientStep::Publish;
            return self
                .client_step(Cause::Work, after, at, || "an earlier use's message is in the way".to_owned());
        }
        if location != Location::Jobs {
            after.clients[at].step = ClientStep::Find { location: number + 1, first };
            return self.client_step(Cause::Work, after, at, || format!("finds none in {location:?}"));
        }
        if first {
            after.clients[at].step = ClientStep::Send;
            return self.client_step(Cause::Work, after, at, || "finds none, and publishes".to_owned());
        }
        self.touch_step(world, at, WriteReason::NotFound);
    }
}

/// Returns whether a message belongs to the same use of the id as the client's record.
fn is_of_same_use((record, ghost): (&Record, Ghost), message: &Message, args: u8) -> bool {
    // A message that names a revision names its time of submission too, which the client compares. In the
    // model the use of the id stands for it.
    if message.publish.args != args
        || message.publish.revision != 0 && message.publish.generation != ghost.generation
    {
        return false;
    }
    let Some(after) = record.after else { return true };
    match message.publish.revision {
        0 => clock::stored(message.stored_after) >= record.submitted_at,
        revision => u64::from(revision) >= after,
    }
}
