//! How a host settles a message: it deletes the due message that the message came from, and then removes the
//! message or gives it back.

use crate::model::inline_list::InlineList;
use crate::model::mutants::Mutant;
use crate::model::server::name;
use crate::model::steps::{Cause, Model};
use crate::model::world::{Host, HostStep, Location, Message, World};

impl Model {
    /// Deletes the due message of a job that fired: from the claim on, and in any case before the message of
    /// the job stream is removed. Returns whether there was something to delete, which comes before all else.
    pub(super) fn delete_due_message_step(&mut self, world: &World, at: usize) -> bool {
        let host = world.hosts[at];
        let source = host.message.source;
        let runs = host.step == HostStep::Run;
        if source == 0 || self.is(Mutant::KeepsDueMessage) {
            return false;
        }
        let is_acked = !world.messages.iter().any(|message| message.seq == host.message.seq);
        if self.is(Mutant::DeletesDueMessageAfterAck) && !is_acked
            || self.is(Mutant::DeletesDueMessageAtAck) && runs
        {
            return false;
        }
        let all = self.is(Mutant::DeletesEveryDueMessage);
        // During the attempt everything that fired for the job up to its own due message goes. What fired
        // later may be a new use of the id.
        let is_deleted = |message: &Message| {
            message.location == Location::Due
                && (all || message.seq == source || runs && message.seq < source)
        };
        if !world.messages.iter().any(is_deleted) {
            return false;
        }
        let mut after = *world;
        after.messages =
            InlineList::from_items(world.messages.iter().filter(|message| !is_deleted(message)).copied());
        self.step(Cause::Work, after, || format!("{}: deletes due messages up to {source}", name(at)));
        true
    }

    /// Removes the message, by an ack or a term.
    pub(super) fn remove_step(&mut self, world: &World, at: usize) {
        let host = world.hosts[at];
        let mut after = *world;
        if let Some(gone) = world.messages.iter().position(|message| message.seq == host.message.seq) {
            after.messages.remove(gone);
        }
        let late =
            |message: &Message| message.location == Location::Due && message.seq == host.message.source;
        if !(self.is(Mutant::DeletesDueMessageAfterAck) && after.messages.iter().any(late)) {
            after.hosts[at] = Host::default();
        }
        let is_open = world.ghost.accepted & !world.ghost.ended != 0;
        if host.step == HostStep::Ack && !world.messages.is_empty() && after.messages.is_empty() && is_open {
            self.violate("I5 last message acked before a terminal record");
        }
        if host.step == HostStep::Term
            && self.scenario.copies
            && world.ghost.copied >> host.message.seq & 1 == 0
        {
            self.violate("R7 a message is removed without a dead-letter copy");
        }
        let how = if host.step == HostStep::Ack { "acks" } else { "terminates" };
        self.step(Cause::Work, after, || format!("{}: {how} message {}", name(at), host.message.seq));
    }

    pub(super) fn nak_step(&mut self, world: &World, at: usize) {
        let mut after = *world;
        let is_delayed = self.has_retry_waiting(world);
        let seq = world.hosts[at].message.seq;
        for message in after.messages.iter_mut().filter(|message| message.seq == seq) {
            message.pending = false;
            message.delayed = is_delayed;
        }
        after.hosts[at] = Host::default();
        self.step(Cause::Work, after, || format!("{}: naks message {seq}", name(at)));
    }
}
