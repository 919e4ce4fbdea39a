//! The server: compare-and-set, time to live, schedules, deliveries, and who interferes with it.

use crate::record::{JobState, Record};

use crate::model::clock;
use crate::model::few::Few;
use crate::model::mutants::Mutant;
use crate::model::records::Rec;
use crate::model::steps::{Cause, MOST_DELIVERIES, Model, spend};
use crate::model::world::{At, Gone, Host, Msg, Odd, Place, Publish, Recon, World};

impl Model {
    /// Writes `new` over revision `exp`; none where another revision stands.
    pub(super) fn cas(&mut self, world: &World, new: Rec, exp: u8) -> Option<World> {
        if exp != world.rev {
            return None;
        }
        self.check_write(world, new);
        let mut after = *world;
        let kept = self.kept(new);
        let ghost = kept.ghost;
        let terminal = kept.record.is_terminal();
        after.brief = terminal && kept.record.attempt == 0;
        if terminal {
            after.ghost.over |= 1 << ghost.run;
            after.ghost.unpublished |= u8::from(is_unpublished(&kept.record)) << ghost.run;
        }
        for host in after.hosts.iter_mut() {
            host.recorded |= host.claim != 0 && host.claim == ghost.claim;
        }
        after.writes += 1;
        after.rec = Some(new);
        after.rev = after.writes;
        after.marker = None;
        after.odd = None;
        after.recons = begin_anew(&after);
        Some(after)
    }

    /// Late writes land; time passes; schedules fire; operators and times to live interfere.
    pub(super) fn server_steps(&mut self, world: &World) {
        self.late_steps(world);
        self.time_steps(world);
        if world.msgs.iter().any(|msg| msg.count > 0)
            && let Some(mut after) = spend(world, |left| &mut left.recount)
        {
            after.created += 1;
            after.ghost.faults += 1;
            for msg in after.msgs.iter_mut() {
                msg.count = 0;
                msg.pending = false;
                msg.delayed = false;
            }
            self.step(Cause::Chance, after, || "the consumer is re-created".to_owned());
        }
        self.amnesia_step(world);
        for (at, msg) in world.msgs.iter().enumerate() {
            self.message_steps(world, at, *msg);
        }
        if world.odd == Some(Odd::Newer) {
            let mut after = World { msgs: Few::default(), ..*world };
            after.ghost.over |= after.ghost.accepted;
            self.step(Cause::Work, after, || "a newer host ends the job".to_owned());
        }
        if world.odd.is_none()
            && let Some(mut after) = spend(world, |left| &mut left.junk)
        {
            after.writes += 1;
            after.rec = None;
            after.rev = after.writes;
            after.marker = None;
            for odd in [Odd::Unreadable, Odd::Newer] {
                after.odd = Some(odd);
                self.step(Cause::Chance, after, || format!("somebody overwrites the record: {odd:?}"));
            }
        }
    }

    fn message_steps(&mut self, world: &World, at: usize, msg: Msg) {
        let mut after = *world;
        match msg.place {
            Place::Schedule if !world.due => {}
            Place::Schedule => {
                after.msgs[at].place = Place::Due;
                self.step(Cause::Work, after, || format!("schedule: message {} fires", msg.seq));
            }
            Place::Due if msg.taken => {}
            Place::Due => {
                after.msgs[at].taken = true;
                after.seqs += 1;
                let born = self.born(world, msg.what);
                after.msgs.push(Msg { seq: after.seqs, place: Place::Jobs, source: msg.seq, born, ..msg });
                let seq = after.seqs;
                self.step(Cause::Work, after, || {
                    format!("the job stream takes message {}, as message {seq}", msg.seq)
                });
            }
            Place::Jobs if world.hosts.iter().any(|host| host.pc == At::Ack) => {}
            Place::Jobs => {
                let Some(mut after) = spend(world, |left| &mut left.purge) else { return };
                after.msgs.remove(at);
                after.ghost.purged = true;
                after.ghost.faults += 1;
                self.step(Cause::Chance, after, || format!("an operator purges message {}", msg.seq));
            }
        }
    }

    /// What still stands where it fired comes again, from the first on.
    fn amnesia_step(&mut self, world: &World) {
        let fired = |msg: &Msg| msg.place == Place::Due;
        if !world.msgs.iter().any(fired) {
            return;
        }
        let Some(mut after) = spend(world, |left| &mut left.amnesia) else { return };
        let emptied = !world.msgs.iter().any(|msg| msg.place == Place::Jobs);
        for msg in after.msgs.iter_mut().filter(|msg| fired(msg)) {
            msg.taken = emptied && self.is(Mutant::StartsAtTheEnd);
        }
        self.step(Cause::Chance, after, || "the server dies, and its source starts anew".to_owned());
    }

    fn late_steps(&mut self, world: &World) {
        for at in 0..world.net.len() {
            let write = world.net[at];
            let mut rest = *world;
            rest.net.remove(at);
            let Some(new) = write.new else { continue };
            let landed = self.cas(&rest, new, write.exp);
            let what = if self.describe { self.word(new) } else { String::new() };
            let how = if landed.is_some() { "lands late" } else { "is refused, late" };
            self.step(Cause::Work, landed.unwrap_or(rest), || format!("net: {what} {how}"));
        }
        for at in 0..world.buffered.len() {
            let mut rest = *world;
            let what = rest.buffered[at];
            rest.buffered.remove(at);
            let how = if self.store(&mut rest, what) { "lands late" } else { "is refused, late" };
            self.step(Cause::Work, rest, || format!("net: a buffered publish {how}"));
        }
    }

    fn time_steps(&mut self, world: &World) {
        if self.is_early(world) {
            let after = self.map_records(world, &|record| {
                if let JobState::Retry { not_before } = &mut record.stage {
                    *not_before = clock::passed();
                }
            });
            self.step(Cause::Work, after, || "time: not_before passes".to_owned());
        }
        let scheduled = world.msgs.iter().any(|msg| msg.place == Place::Schedule);
        if !world.due && (scheduled || self.waits(world)) {
            let mut after = self.map_records(world, &|record| {
                if let JobState::Pending { not_before: Some(at) } = &mut record.stage {
                    *at = clock::passed();
                }
            });
            after.due = true;
            self.step(Cause::Work, after, || "time: scheduled jobs are due".to_owned());
        }
        if let Some(mut after) = spend(world, |left| &mut left.expire) {
            after = self.map_records(&after, &|record| record.expires_at = Some(clock::passed()));
            after.expired = true;
            self.step(Cause::Chance, after, || "time: expires_at passes".to_owned());
        }
        let Some(rec) = world.rec.filter(|rec| self.record(*rec).is_terminal()) else { return };
        if let Some(after) = spend(world, |left| &mut left.ttl) {
            let gone = Gone::Expired { ended: world.rev, brief: world.brief };
            let mut after = delete(&clients_late(&after), gone);
            self.step(Cause::Chance, after, || "time: the record expires".to_owned());
            if after.ids != 0 {
                after.ids = 0;
                self.step(Cause::Chance, after, || {
                    "time: the record and the duplicate window expire".to_owned()
                });
            }
        }
        if let Some(after) = spend(world, |left| &mut left.forget) {
            let what = if self.describe { self.word(rec) } else { String::new() };
            self.step(Cause::Chance, delete(&after, Gone::Deleted), || format!("a client forgets {what}"));
        }
    }

    /// Every record that anybody holds, changed alike: time passes for all of them.
    fn map_records(&mut self, world: &World, change: &dyn Fn(&mut Record)) -> World {
        let mut after = *world;
        let net = after.net.iter_mut().map(|write| &mut write.new);
        let hosts = after.hosts.iter_mut().map(|host| &mut host.rec);
        let clients = after.clients.iter_mut().map(|client| &mut client.rec);
        let all = net.chain(hosts).chain(clients).chain([&mut after.rec, &mut after.revoker.write.new]);
        for slot in all {
            let Some(rec) = *slot else { continue };
            let mut record = self.record(rec).clone();
            let ghost = self.kept(rec).ghost;
            change(&mut record);
            *slot = Some(self.keep(record, ghost));
        }
        after
    }

    /// Whether a retry stands whose time has not come.
    pub(super) fn is_early(&self, world: &World) -> bool {
        let stage = world.rec.map(|rec| &self.record(rec).stage);
        matches!(stage, Some(JobState::Retry { not_before }) if *not_before > clock::now())
    }

    /// Whether a scheduled job stands that is not due.
    pub(super) fn waits(&self, world: &World) -> bool {
        let stage = world.rec.map(|rec| &self.record(rec).stage);
        matches!(stage, Some(JobState::Pending { not_before: Some(at) }) if *at > clock::now())
    }

    /// Stores a message, unless one stands on its subject, or its stream remembers its id.
    pub(super) fn store(&self, world: &mut World, what: Publish) -> bool {
        let place = if what.scheduled { Place::Schedule } else { Place::Jobs };
        let stands = world.msgs.iter().any(|msg| msg.place == place);
        if stands || world.ids >> what.hdr & 1 == 1 {
            return false;
        }
        world.ids |= 1 << what.hdr;
        world.seqs += 1;
        let born = self.born(world, what);
        world.msgs.push(Msg { seq: world.seqs, place, what, born, ..Msg::default() });
        true
    }

    /// When a message is stored. Nobody asks that of one that names a revision.
    fn born(&self, world: &World, what: Publish) -> u8 {
        let timed = what.hdr == 0 || self.is(Mutant::R14ByTimeAlone);
        if timed { world.writes } else { 0 }
    }

    /// A message goes to a free slot, or to the slot that runs its attempt (R3).
    pub(super) fn delivery_steps(&mut self, world: &World) {
        for (at, msg) in world.msgs.iter().enumerate().filter(|(_, msg)| msg.place == Place::Jobs) {
            if msg.count >= MOST_DELIVERIES {
                self.capped = true;
                continue;
            }
            let mut base = Some(*world);
            let mut cause = Cause::Work;
            if msg.delayed && self.is_early(world) {
                (base, cause) = (base.and_then(|base| spend(&base, |left| &mut left.hasty)), Cause::Chance);
            }
            if msg.pending && world.hosts.iter().any(|host| host.pc != At::Idle && host.msg.seq == msg.seq) {
                (base, cause) = (base.and_then(|base| spend(&base, |left| &mut left.lapse)), Cause::Chance);
                base.iter_mut().for_each(|base| base.ghost.faults += 1);
            }
            let Some(base) = base else { continue };
            self.deliver(&base, at, 1, cause);
            if msg.count > 0
                && let Some(base) = spend(&base, |left| &mut left.recount)
            {
                self.deliver(&base, at, 0, Cause::Chance);
            }
            if let Some(mut base) = spend(&base, |left| &mut left.storm) {
                base.ghost.storm = true;
                base.ghost.faults += 1;
                self.deliver(&base, at, 22, Cause::Chance);
            }
        }
    }

    fn deliver(&mut self, base: &World, at: usize, more: u8, cause: Cause) {
        let mut base = *base;
        let msg = &mut base.msgs[at];
        msg.count += more;
        msg.pending = true;
        msg.delayed = false;
        let msg = *msg;
        let created = base.created;
        let free = base.hosts.iter().position(|host| host.pc == At::Idle);
        for (to, host) in base.hosts.iter().enumerate() {
            let mut after = base;
            let mut how = "";
            if Some(to) == free {
                let host = Host { pc: At::Read, msg, created, ..Host::default() };
                // The common path: nothing is read (R0).
                after.hosts[to] = match self.scenario.trust && msg.count == 1 {
                    true => self.believe(&after, host),
                    false => host,
                };
            } else if host.pc == At::Run && host.msg.seq == msg.seq && self.holds(&base, host) {
                after.hosts[to].msg = msg;
                after.hosts[to].created = created;
                how = " itself, which adopts it";
            } else {
                continue;
            }
            self.step(cause, after, || {
                format!("message {} is delivered, count {}, to {}{how}", msg.seq, msg.count, name(to))
            });
        }
    }

    /// Whether the record stands under the host's own token.
    pub(super) fn holds(&self, world: &World, host: &Host) -> bool {
        world.rec.is_some_and(|rec| self.kept(rec).token == host.token)
    }
}

/// A slot's name.
pub(super) fn name(host: usize) -> char {
    ['A', 'B', 'C'][host]
}

/// A delete marker takes the record's place.
pub(super) fn delete(world: &World, gone: Gone) -> World {
    let writes = world.writes + 1;
    let recons = begin_anew(world);
    World { rec: None, odd: None, marker: Some(gone), rev: writes, writes, brief: false, recons, ..*world }
}

/// A reconciler whose revision has moved ends in a refusal whatever it does, so it may as well begin anew.
fn begin_anew(world: &World) -> Few<Recon, 2> {
    Few::of(world.recons.iter().map(|_| Recon::default()))
}

/// More than 30 s pass for every client.
pub(super) fn clients_late(world: &World) -> World {
    let late =
        world.clients.iter().map(|client| crate::model::world::Client { late: client.is_busy(), ..*client });
    World { clients: Few::of(late), ..*world }
}

fn is_unpublished(record: &Record) -> bool {
    use crate::record::{End, ErrorKind};
    matches!(&record.stage, JobState::Ended { end: End::Failure(error), .. } if error.kind == ErrorKind::NotPublished)
}
