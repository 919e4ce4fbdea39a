//! Scenarios: who takes part, what stands at the start, and what may go wrong.

use crate::machine::{JobSpec, Transition, transition};

use crate::model::clock;
use crate::model::few::Few;
use crate::model::records::Ghost;
use crate::model::steps::{Model, args};
use crate::model::world::{Client, Ghosts, Host, Left, Msg, Place, Publish, Recon, World};

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) start: Start,
    pub(super) left: Left,
    /// Faults and wishes that come together in one history.
    pub(super) at_most: u8,
    pub(super) hosts: usize,
    pub(super) reconcilers: usize,
    pub(super) max_attempts: u32,
    pub(super) max_lost: u32,
    /// R0: submitters are trusted.
    pub(super) trust: bool,
    /// Where clients publish.
    pub(super) place: Place,
    /// The guest only succeeds.
    pub(super) plain: bool,
    /// Jobs expire.
    pub(super) expires: bool,
    /// A revoke leaves the guest time to stop.
    pub(super) grace: bool,
    /// Its slots are of one host, not of as many.
    pub(super) one_host: bool,
    /// With so many touches a client's 30 s are over.
    pub(super) touches: u8,
    /// Copies for people are steps of their own.
    pub(super) copies: bool,
}

/// What stands at the start.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// An accepted job: PENDING, and so many messages, which name its revision.
    Queued(u8),
    /// The same, but each further message names a revision to come.
    Liars(u8),
    /// A raw message without a record.
    Raw,
    /// The same, by a schedule that is due.
    RawScheduled,
    /// A raw message without a record, with arguments of its own, and clients, alike or with different arguments.
    RawBeside(u8),
    /// Nothing; clients that submit equal jobs.
    Unsubmitted(u8),
    /// Nothing; clients that submit different jobs under one id.
    Different(u8),
}

const PLAIN: Scenario = Scenario {
    name: "",
    start: Start::Queued(1),
    left: LEFT,
    at_most: 3,
    hosts: 2,
    reconcilers: 0,
    max_attempts: 2,
    max_lost: 1,
    trust: true,
    place: Place::Jobs,
    plain: false,
    expires: false,
    grace: false,
    one_host: true,
    touches: 2,
    copies: false,
};

const LEFT: Left = Left {
    crash: 0,
    unknown: 0,
    lapse: 0,
    recount: 0,
    hasty: 0,
    stale: 0,
    handoff: 0,
    progress: 0,
    revoke: 0,
    expire: 0,
    ttl: 0,
    forget: 0,
    purge: 0,
    amnesia: 0,
    client_crash: 0,
    late: 0,
    unanswered: 0,
    storm: 0,
    give_back: 0,
    junk: 0,
    refuse: 0,
};

pub(super) const S1: Scenario = Scenario {
    name: "S1 claim, complete, unknown, crash, pause, retry",
    left: Left { crash: 1, unknown: 1, lapse: 1, recount: 1, hasty: 1, ..LEFT },
    at_most: 2,
    ..PLAIN
};

pub(super) const S1B: Scenario = Scenario {
    name: "S1b raw job, progress, hand-off, R3's fourth time",
    start: Start::Raw,
    left: Left { crash: 1, unknown: 1, lapse: 1, stale: 1, handoff: 1, progress: 1, ..LEFT },
    max_attempts: 1,
    ..PLAIN
};

pub(super) const S2: Scenario = Scenario {
    name: "S2 revoke and expiry racing",
    left: Left { crash: 1, unknown: 1, lapse: 1, revoke: 1, expire: 1, ..LEFT },
    max_attempts: 1,
    max_lost: 0,
    expires: true,
    ..PLAIN
};

pub(super) const S3: Scenario = Scenario {
    name: "S3 submit, crash, submit again, reconcile",
    start: Start::Unsubmitted(2),
    left: Left { unknown: 1, client_crash: 1, ..LEFT },
    at_most: 2,
    hosts: 1,
    reconcilers: 1,
    plain: true,
    ..PLAIN
};

pub(super) const S3B: Scenario = Scenario {
    name: "S3b the same with schedules",
    left: Left { client_crash: 1, late: 1, ..LEFT },
    place: Place::Schedule,
    ..S3
};

pub(super) const S3C: Scenario = Scenario {
    name: "S3c a publish without an answer",
    left: Left { unanswered: 1, ..LEFT },
    at_most: 1,
    ..S3
};

pub(super) const S4: Scenario = Scenario {
    name: "S4 a record expires and its id is used again",
    start: Start::Unsubmitted(2),
    left: Left { crash: 1, lapse: 1, ttl: 1, ..LEFT },
    at_most: 2,
    plain: true,
    ..PLAIN
};

pub(super) const S5: Scenario = Scenario {
    name: "S5 two messages of one key, purge, reconcile",
    start: Start::Queued(2),
    left: Left { crash: 1, lapse: 1, purge: 1, ..LEFT },
    at_most: 2,
    reconcilers: 1,
    plain: true,
    ..PLAIN
};

pub(super) const S5B: Scenario = Scenario {
    name: "S5b one message, purge, revoke, reconcile",
    left: Left { crash: 1, unknown: 1, purge: 1, revoke: 1, ..LEFT },
    hosts: 1,
    reconcilers: 1,
    plain: true,
    ..PLAIN
};

pub(super) const S6: Scenario = Scenario {
    name: "S6 liars name revisions, the claim reads first",
    start: Start::Liars(3),
    left: Left { crash: 1, lapse: 1, ..LEFT },
    at_most: 1,
    max_lost: 0,
    trust: false,
    plain: true,
    ..PLAIN
};

pub(super) const S7: Scenario = Scenario {
    name: "S7 poison, copies refused",
    left: Left { crash: 1, unknown: 1, lapse: 1, storm: 1, refuse: 1, ..LEFT },
    copies: true,
    ..PLAIN
};

pub(super) const S8: Scenario = Scenario {
    name: "S8 a job is forgotten and its id used again",
    left: Left { crash: 1, lapse: 1, forget: 1, ..LEFT },
    ..S4
};

pub(super) const S8B: Scenario = Scenario {
    name: "S8b a job that never ran is revoked, and its record expires",
    left: Left { revoke: 1, ttl: 1, ..LEFT },
    hosts: 1,
    reconcilers: 1,
    ..S4
};

pub(super) const S8C: Scenario = Scenario {
    name: "S8c a late message meets the marker of its own record",
    start: Start::Unsubmitted(1),
    left: Left { client_crash: 1, late: 1, unanswered: 1, ttl: 1, forget: 1, ..LEFT },
    reconcilers: 1,
    at_most: 3,
    ..S4
};

pub(super) const S9: Scenario = Scenario {
    name: "S9 the record becomes unreadable, or newer",
    left: Left { crash: 1, unknown: 1, lapse: 1, junk: 1, refuse: 1, ..LEFT },
    plain: true,
    copies: true,
    ..PLAIN
};

pub(super) const S10: Scenario = Scenario {
    name: "S10 two reconcilers",
    left: Left { crash: 1, unknown: 1, purge: 1, revoke: 1, ..LEFT },
    reconcilers: 2,
    ..S5B
};

pub(super) const S11: Scenario = Scenario {
    name: "S11 a raw job beside a submission with other arguments",
    start: Start::RawBeside(1),
    left: Left { unknown: 1, lapse: 1, client_crash: 1, ..LEFT },
    at_most: 2,
    plain: true,
    reconcilers: 1,
    ..PLAIN
};

pub(super) const S11B: Scenario =
    Scenario { name: "S11b two clients, one id, different arguments", start: Start::Different(2), ..S3 };

pub(super) const S12: Scenario = Scenario {
    name: "S12 the time to stop moves",
    left: Left { crash: 1, unknown: 1, lapse: 1, revoke: 2, ..LEFT },
    grace: true,
    plain: true,
    max_attempts: 1,
    ..PLAIN
};

pub(super) const S13: Scenario = Scenario {
    name: "S13 suspects are given back",
    left: Left { crash: 2, lapse: 1, give_back: 1, ..LEFT },
    max_lost: 2,
    ..PLAIN
};

pub(super) const S14: Scenario = Scenario {
    name: "S14 three messages of one key, three hosts, purge",
    start: Start::Queued(3),
    left: Left { crash: 1, lapse: 1, purge: 1, ..LEFT },
    at_most: 1,
    hosts: 3,
    one_host: false,
    reconcilers: 1,
    max_lost: 3,
    plain: true,
    ..PLAIN
};

pub(super) const S15: Scenario = Scenario {
    name: "S15 what fired comes again, and the id is used again",
    start: Start::Unsubmitted(2),
    left: Left { amnesia: 1, ttl: 1, ..LEFT },
    at_most: 2,
    place: Place::Schedule,
    plain: true,
    ..PLAIN
};

pub(super) const S15R: Scenario = Scenario {
    name: "S15r a raw job that fired comes again when its record is gone",
    start: Start::RawScheduled,
    left: Left { amnesia: 1, ttl: 1, crash: 1, lapse: 1, ..LEFT },
    at_most: 3,
    ..S15
};

pub(super) const S15B: Scenario = Scenario {
    name: "S15b what fired comes again while hosts die",
    start: Start::Unsubmitted(1),
    left: Left { amnesia: 1, crash: 1, lapse: 1, unknown: 1, ..LEFT },
    at_most: 3,
    ..S15
};

pub(super) const S15C: Scenario = Scenario {
    name: "S15c what fired is taken from the job stream",
    start: Start::Unsubmitted(1),
    left: Left { amnesia: 1, crash: 1, purge: 1, ttl: 1, ..LEFT },
    at_most: 3,
    hosts: 1,
    reconcilers: 1,
    ..S15
};

impl Scenario {
    /// With more faults, and more of them in one history.
    pub(super) fn widened(self) -> Self {
        let twice = |budget: u8| if budget == 0 { 0 } else { 2 };
        let Left { crash, unknown, .. } = self.left;
        let left = Left { crash: twice(crash), unknown: twice(unknown), ..self.left };
        Self { left, at_most: self.at_most + 1, touches: self.touches + 1, ..self }
    }
}

impl Model {
    /// The first state.
    pub(super) fn start(&mut self) -> World {
        let scenario = self.scenario;
        let (clients, distinct) = match scenario.start {
            Start::Unsubmitted(clients) | Start::RawBeside(clients) => (clients, false),
            Start::Different(clients) => (clients, true),
            Start::Queued(_) | Start::Liars(_) | Start::Raw | Start::RawScheduled => (0, false),
        };
        let client = |number| Client { args: if distinct { number } else { 0 }, ..Client::default() };
        let world = World {
            hosts: Few::of((0..scenario.hosts).map(|_| Host::default())),
            clients: Few::of((0..clients).map(client)),
            recons: Few::of((0..scenario.reconcilers).map(|_| Recon::default())),
            left: scenario.left,
            created: 1,
            ..World::default()
        };
        match scenario.start {
            Start::Unsubmitted(_) | Start::Different(_) => world,
            Start::Raw => self.raw(world, 0),
            Start::RawScheduled => {
                let mut world = World { due: true, ..self.raw(world, 0) };
                world.msgs[0].place = Place::Schedule;
                world
            }
            // Only one of the two jobs can have the id: whether the raw one runs is not promised.
            Start::RawBeside(_) => World { ghost: Ghosts::default(), ..self.raw(world, 9) },
            Start::Queued(messages) => self.queued(world, messages, 0),
            Start::Liars(messages) => self.queued(world, messages, 1),
        }
    }

    fn raw(&self, world: World, args: u8) -> World {
        let what = Publish { args, run: 1, ..Publish::default() };
        let msgs = Few::of([Msg { seq: 1, what, ..Msg::default() }]);
        World { msgs, seqs: 1, runs: 1, ghost: Ghosts { accepted: 2, ..Ghosts::default() }, ..world }
    }

    fn queued(&mut self, world: World, messages: u8, lie: u8) -> World {
        let job = JobSpec {
            submitted_at: clock::submitted(0),
            expires_at: self.expires_at(&world),
            args_digest: Some(args(0)),
            ..self.blank_submission()
        };
        let change = self.client_change(&world, Transition::Submit(job));
        let pending = transition(None, &change).expect("a client may record a job where none stands");
        let message = |at| {
            let what = Publish { hdr: 1 + at * lie, run: 1, ..Publish::default() };
            Msg { seq: at + 1, what, born: 1, ..Msg::default() }
        };
        World {
            rec: Some(self.keep(pending, Ghost { claim: 0, run: 1 })),
            rev: 1,
            writes: 1,
            msgs: Few::of((0..messages).map(message)),
            seqs: messages,
            runs: 1,
            ids: 1 << 1,
            ghost: Ghosts { accepted: 2, ..Ghosts::default() },
            ..world
        }
    }
}
