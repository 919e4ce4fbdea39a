//! The server: compare-and-set, times to live, schedules and deliveries, and the operators who interfere with
//! it.

use crate::record::{JobState, Record};

use crate::model::clock;
use crate::model::inline_list::InlineList;
use crate::model::mutants::Mutant;
use crate::model::records::RecordId;
use crate::model::steps::{Cause, MAX_DELIVERIES, Model, spend};
use crate::model::world::{
    Deletion, ForeignValue, Host, HostStep, Location, Message, Publish, Reconciler, World,
};

impl Model {
    /// Writes a record over the revision `expected`. Returns `None` where another revision is the newest.
    pub(super) fn compare_and_set(&mut self, world: &World, new: RecordId, expected: u8) -> Option<World> {
        if expected != world.revision {
            return None;
        }
        self.check_write(world, new);
        let mut after = *world;
        let interned = self.interned(new);
        let ghost = interned.ghost;
        let terminal = interned.record.is_terminal();
        after.short_lived = terminal && interned.record.attempt == 0;
        if terminal {
            after.ghost.ended |= 1 << ghost.generation;
            after.ghost.unpublished |= u8::from(is_unpublished(&interned.record)) << ghost.generation;
        }
        for host in after.hosts.iter_mut() {
            host.recorded |= host.claim != 0 && host.claim == ghost.claim;
        }
        after.writes += 1;
        after.record_id = Some(new);
        after.revision = after.writes;
        after.marker = None;
        after.foreign = None;
        after.reconcilers = restart_scans(&after);
        Some(after)
    }

    /// Takes the steps of the server and of operators: late writes arrive, time passes, schedules fire,
    /// messages and records go.
    pub(super) fn server_steps(&mut self, world: &World) {
        self.late_steps(world);
        self.time_steps(world);
        if world.messages.iter().any(|message| message.count > 0)
            && let Some(mut after) = spend(world, |budgets| &mut budgets.recount)
        {
            after.consumer += 1;
            after.ghost.faults += 1;
            for message in after.messages.iter_mut() {
                message.count = 0;
                message.pending = false;
                message.delayed = false;
            }
            self.step(Cause::Chance, after, || "the consumer is re-created".to_owned());
        }
        self.source_reset_step(world);
        for (at, message) in world.messages.iter().enumerate() {
            self.message_steps(world, at, *message);
        }
        if world.foreign == Some(ForeignValue::Newer) {
            let mut after = World { messages: InlineList::default(), ..*world };
            after.ghost.ended |= after.ghost.accepted;
            self.step(Cause::Work, after, || "a newer host ends the job".to_owned());
        }
        if world.foreign.is_none()
            && let Some(mut after) = spend(world, |budgets| &mut budgets.foreign_value)
        {
            after.writes += 1;
            after.record_id = None;
            after.revision = after.writes;
            after.marker = None;
            for foreign in [ForeignValue::Unreadable, ForeignValue::Newer] {
                after.foreign = Some(foreign);
                self.step(Cause::Chance, after, || format!("somebody overwrites the record: {foreign:?}"));
            }
        }
    }

    fn message_steps(&mut self, world: &World, at: usize, message: Message) {
        let mut after = *world;
        match message.location {
            Location::Schedule if !world.due => {}
            Location::Schedule => {
                after.messages[at].location = Location::Due;
                self.step(Cause::Work, after, || format!("schedule: message {} fires", message.seq));
            }
            Location::Due if message.sourced => {}
            Location::Due => {
                after.messages[at].sourced = true;
                after.last_seq += 1;
                let stored_after = self.stored_after(world, message.publish);
                after.messages.push(Message {
                    seq: after.last_seq,
                    location: Location::Jobs,
                    source: message.seq,
                    stored_after,
                    ..message
                });
                let seq = after.last_seq;
                self.step(Cause::Work, after, || {
                    format!("the job stream takes message {}, as message {seq}", message.seq)
                });
            }
            Location::Jobs if world.hosts.iter().any(|host| host.step == HostStep::Ack) => {}
            Location::Jobs => {
                let Some(mut after) = spend(world, |budgets| &mut budgets.purge) else { return };
                after.messages.remove(at);
                after.ghost.purged = true;
                after.ghost.faults += 1;
                self.step(Cause::Chance, after, || format!("an operator purges message {}", message.seq));
            }
        }
    }

    /// Lets the server lose its place in the job stream's source: due messages that are still stored come
    /// again, from the first on.
    fn source_reset_step(&mut self, world: &World) {
        let is_due = |message: &Message| message.location == Location::Due;
        if !world.messages.iter().any(is_due) {
            return;
        }
        let Some(mut after) = spend(world, |budgets| &mut budgets.source_reset) else { return };
        // A source without a start sequence goes on behind what it has seen where the job stream is empty.
        let is_empty = !world.messages.iter().any(|message| message.location == Location::Jobs);
        for message in after.messages.iter_mut().filter(|message| is_due(message)) {
            message.sourced = is_empty && self.is(Mutant::SourceWithoutStart);
        }
        self.step(Cause::Chance, after, || "the server dies, and its source starts anew".to_owned());
    }

    fn late_steps(&mut self, world: &World) {
        for at in 0..world.in_flight.len() {
            let write = world.in_flight[at];
            let mut rest = *world;
            rest.in_flight.remove(at);
            let Some(new) = write.record_id else { continue };
            let confirmed = self.compare_and_set(&rest, new, write.expected);
            let what = if self.describe { self.describe_record(new) } else { String::new() };
            let how = if confirmed.is_some() { "is stored late" } else { "is refused, late" };
            self.step(Cause::Work, confirmed.unwrap_or(rest), || format!("in flight: {what} {how}"));
        }
        for at in 0..world.buffered.len() {
            let mut rest = *world;
            let publish = rest.buffered[at];
            rest.buffered.remove(at);
            let how =
                if self.store_message(&mut rest, publish) { "is stored late" } else { "is refused, late" };
            self.step(Cause::Work, rest, || format!("in flight: a buffered publish {how}"));
        }
    }

    fn time_steps(&mut self, world: &World) {
        if self.has_retry_waiting(world) {
            let after = self.map_records(world, &|record| {
                if let JobState::Retry { not_before } = &mut record.state {
                    *not_before = clock::passed();
                }
            });
            self.step(Cause::Work, after, || "time: not_before passes".to_owned());
        }
        let scheduled = world.messages.iter().any(|message| message.location == Location::Schedule);
        if !world.due && (scheduled || self.has_delayed_job_waiting(world)) {
            let mut after = self.map_records(world, &|record| {
                if let JobState::Pending { not_before: Some(at) } = &mut record.state {
                    *at = clock::passed();
                }
            });
            after.due = true;
            self.step(Cause::Work, after, || "time: scheduled jobs are due".to_owned());
        }
        if let Some(mut after) = spend(world, |budgets| &mut budgets.expire) {
            after = self.map_records(&after, &|record| record.expires_at = Some(clock::passed()));
            after.expired = true;
            self.step(Cause::Chance, after, || "time: expires_at passes".to_owned());
        }
        let Some(record_id) = world.record_id.filter(|record_id| self.record(*record_id).is_terminal())
        else {
            return;
        };
        if let Some(after) = spend(world, |budgets| &mut budgets.ttl) {
            let expired = Deletion::Expired { ended: world.revision, short_lived: world.short_lived };
            let mut after = delete(&clients_late(&after), expired);
            self.step(Cause::Chance, after, || "time: the record expires".to_owned());
            if after.remembered_ids != 0 {
                after.remembered_ids = 0;
                self.step(Cause::Chance, after, || {
                    "time: the record and the duplicate window expire".to_owned()
                });
            }
        }
        if let Some(after) = spend(world, |budgets| &mut budgets.forget) {
            let what = if self.describe { self.describe_record(record_id) } else { String::new() };
            self.step(Cause::Chance, delete(&after, Deletion::Deleted), || {
                format!("a client forgets {what}")
            });
        }
    }

    /// Changes the records that all participants have in the same way, since time passes for all of them.
    fn map_records(&mut self, world: &World, change: &dyn Fn(&mut Record)) -> World {
        let mut after = *world;
        let in_flight = after.in_flight.iter_mut().map(|write| &mut write.record_id);
        let hosts = after.hosts.iter_mut().map(|host| &mut host.record_id);
        let clients = after.clients.iter_mut().map(|client| &mut client.record_id);
        let all = in_flight
            .chain(hosts)
            .chain(clients)
            .chain([&mut after.record_id, &mut after.revoker.write.record_id]);
        for slot in all {
            let Some(record_id) = *slot else { continue };
            let mut record = self.record(record_id).clone();
            let ghost = self.interned(record_id).ghost;
            change(&mut record);
            *slot = Some(self.intern(record, ghost));
        }
        after
    }

    /// Returns whether the record is in RETRY and not due.
    pub(super) fn has_retry_waiting(&self, world: &World) -> bool {
        let state = world.record_id.map(|record_id| &self.record(record_id).state);
        matches!(state, Some(JobState::Retry { not_before }) if *not_before > clock::now())
    }

    /// Returns whether the record is that of a delayed job and not due.
    pub(super) fn has_delayed_job_waiting(&self, world: &World) -> bool {
        let state = world.record_id.map(|record_id| &self.record(record_id).state);
        matches!(state, Some(JobState::Pending { not_before: Some(at) }) if *at > clock::now())
    }

    /// Stores a message unless there is one on its subject, or its stream remembers the message's id. Returns
    /// whether it is stored.
    pub(super) fn store_message(&self, world: &mut World, publish: Publish) -> bool {
        let location = if publish.scheduled { Location::Schedule } else { Location::Jobs };
        let is_taken = world.messages.iter().any(|message| message.location == location);
        if is_taken || world.remembered_ids >> publish.revision & 1 == 1 {
            return false;
        }
        world.remembered_ids |= 1 << publish.revision;
        world.last_seq += 1;
        let stored_after = self.stored_after(world, publish);
        world.messages.push(Message {
            seq: world.last_seq,
            location,
            publish,
            stored_after,
            ..Message::default()
        });
        true
    }

    /// Returns when a message is stored. Nobody reads that time of a message that names a revision, which
    /// makes the search smaller.
    fn stored_after(&self, world: &World, publish: Publish) -> u8 {
        let is_read = publish.revision == 0 || self.is(Mutant::EndedByTimeAlone);
        if is_read { world.writes } else { 0 }
    }

    /// Delivers each message of the job stream, to a free slot or to the slot that runs its attempt.
    pub(super) fn delivery_steps(&mut self, world: &World) {
        for (at, message) in
            world.messages.iter().enumerate().filter(|(_, message)| message.location == Location::Jobs)
        {
            if message.count >= MAX_DELIVERIES {
                self.capped = true;
                continue;
            }
            let mut base = Some(*world);
            let mut cause = Cause::Work;
            if message.delayed && self.has_retry_waiting(world) {
                (base, cause) = (
                    base.and_then(|base| spend(&base, |budgets| &mut budgets.early_redelivery)),
                    Cause::Chance,
                );
            }
            if message.pending
                && world
                    .hosts
                    .iter()
                    .any(|host| host.step != HostStep::Idle && host.message.seq == message.seq)
            {
                (base, cause) =
                    (base.and_then(|base| spend(&base, |budgets| &mut budgets.lapse)), Cause::Chance);
                base.iter_mut().for_each(|base| base.ghost.faults += 1);
            }
            let Some(base) = base else { continue };
            self.deliver(&base, at, 1, cause);
            if message.count > 0
                && let Some(base) = spend(&base, |budgets| &mut budgets.recount)
            {
                self.deliver(&base, at, 0, Cause::Chance);
            }
            if let Some(mut base) = spend(&base, |budgets| &mut budgets.excess_deliveries) {
                base.ghost.excess_deliveries = true;
                base.ghost.faults += 1;
                self.deliver(&base, at, 22, Cause::Chance);
            }
        }
    }

    fn deliver(&mut self, base: &World, at: usize, more: u8, cause: Cause) {
        let mut base = *base;
        let message = &mut base.messages[at];
        message.count += more;
        message.pending = true;
        message.delayed = false;
        let message = *message;
        let consumer = base.consumer;
        let free = base.hosts.iter().position(|host| host.step == HostStep::Idle);
        for (to, host) in base.hosts.iter().enumerate() {
            let mut after = base;
            let mut how = "";
            if Some(to) == free {
                let host = Host { step: HostStep::Read, message, consumer, ..Host::default() };
                // On the common path nothing is read.
                after.hosts[to] = match self.scenario.trust && message.count == 1 {
                    true => self.claim_without_read(&after, host),
                    false => host,
                };
            } else if host.step == HostStep::Run
                && host.message.seq == message.seq
                && self.owns_record(&base, host)
            {
                after.hosts[to].message = message;
                after.hosts[to].consumer = consumer;
                how = " itself, whose lease adopts it";
            } else {
                continue;
            }
            self.step(cause, after, || {
                format!("message {} is delivered, count {}, to {}{how}", message.seq, message.count, name(to))
            });
        }
    }

    /// Returns whether the record is under the host's own token, whether it has ended or not.
    pub(super) fn owns_record(&self, world: &World, host: &Host) -> bool {
        world.record_id.is_some_and(|record_id| self.interned(record_id).token == host.token)
    }
}

/// Returns the name of a slot, for labels.
pub(super) fn name(host: usize) -> char {
    ['A', 'B', 'C'][host]
}

/// Returns the state after a delete marker has taken the record's place.
pub(super) fn delete(world: &World, deletion: Deletion) -> World {
    let writes = world.writes + 1;
    let reconcilers = restart_scans(world);
    World {
        record_id: None,
        foreign: None,
        marker: Some(deletion),
        revision: writes,
        writes,
        short_lived: false,
        reconcilers,
        ..*world
    }
}

/// Returns reconcilers that begin again. One that has seen an older revision is refused in the end whatever
/// it does, so that the search is smaller if it begins again at once.
fn restart_scans(world: &World) -> InlineList<Reconciler, 2> {
    InlineList::from_items(world.reconcilers.iter().map(|_| Reconciler::default()))
}

/// Returns the state after more than 30 s have passed for every client.
pub(super) fn clients_late(world: &World) -> World {
    let late =
        world.clients.iter().map(|client| crate::model::world::Client { late: client.is_busy(), ..*client });
    World { clients: InlineList::from_items(late), ..*world }
}

fn is_unpublished(record: &Record) -> bool {
    use crate::record::{End, ErrorKind};
    matches!(&record.state, JobState::Ended { end: End::Failure(error), .. } if error.kind == ErrorKind::NotPublished)
}
