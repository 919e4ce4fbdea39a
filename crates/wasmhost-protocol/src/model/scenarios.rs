//! Scenarios: who takes part, what is stored at the start, and what may go wrong.

use crate::machine::{JobSpec, Transition, transition};

use crate::model::clock;
use crate::model::inline_list::InlineList;
use crate::model::records::Ghost;
use crate::model::steps::{Model, args};
use crate::model::world::{Budgets, Client, Ghosts, Host, Location, Message, Publish, Reconciler, World};

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) start: Start,
    pub(super) budgets: Budgets,
    /// The most faults and wishes in one history.
    pub(super) max_events: u8,
    pub(super) hosts: usize,
    pub(super) reconcilers: usize,
    pub(super) max_attempts: u32,
    pub(super) max_lost: u32,
    /// Whether the hosts trust submitters.
    pub(super) trust: bool,
    /// Where clients publish.
    pub(super) location: Location,
    /// Whether the guest never fails.
    pub(super) always_succeeds: bool,
    /// Whether jobs have an `expires_at`.
    pub(super) expires: bool,
    /// Whether a revoke leaves the guest time to stop.
    pub(super) revoke_has_grace: bool,
    /// Whether the slots are those of one host, and not of as many hosts.
    pub(super) one_host: bool,
    /// The touches after which a client's 30 s are over.
    pub(super) touches: u8,
    /// Whether dead-letter copies are steps of their own.
    pub(super) copies: bool,
}

/// What is stored at the start.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// An accepted job: a PENDING record and this many messages that name its revision.
    Queued(u8),
    /// The same, but each further message names a later revision, which does not exist yet.
    Liars(u8),
    /// A raw message without a record.
    Raw,
    /// A raw message that a schedule is about to fire.
    RawScheduled,
    /// A raw message with arguments of its own, and this many clients that submit equal jobs.
    RawBeside(u8),
    /// Nothing, and this many clients that submit equal jobs.
    Unsubmitted(u8),
    /// Nothing, and this many clients that submit different jobs under one id.
    Different(u8),
}

/// What most scenarios have in common.
const BASE: Scenario = Scenario {
    name: "",
    start: Start::Queued(1),
    budgets: NONE,
    max_events: 3,
    hosts: 2,
    reconcilers: 0,
    max_attempts: 2,
    max_lost: 1,
    trust: true,
    location: Location::Jobs,
    always_succeeds: false,
    expires: false,
    revoke_has_grace: false,
    one_host: true,
    touches: 2,
    copies: false,
};

const NONE: Budgets = Budgets {
    crash: 0,
    unknown: 0,
    lapse: 0,
    recount: 0,
    early_redelivery: 0,
    stale: 0,
    handoff: 0,
    progress: 0,
    revoke: 0,
    expire: 0,
    ttl: 0,
    forget: 0,
    purge: 0,
    source_reset: 0,
    client_crash: 0,
    late: 0,
    unanswered: 0,
    excess_deliveries: 0,
    give_back: 0,
    foreign_value: 0,
    refuse_copy: 0,
};

pub(super) const S1: Scenario = Scenario {
    name: "S1 claim, complete, unknown, crash, pause, retry",
    budgets: Budgets { crash: 1, unknown: 1, lapse: 1, recount: 1, early_redelivery: 1, ..NONE },
    max_events: 2,
    ..BASE
};

pub(super) const S1B: Scenario = Scenario {
    name: "S1b raw job, progress, hand-off, a fourth stale delivery",
    start: Start::Raw,
    budgets: Budgets { crash: 1, unknown: 1, lapse: 1, stale: 1, handoff: 1, progress: 1, ..NONE },
    max_attempts: 1,
    ..BASE
};

pub(super) const S2: Scenario = Scenario {
    name: "S2 revoke and expiry racing",
    budgets: Budgets { crash: 1, unknown: 1, lapse: 1, revoke: 1, expire: 1, ..NONE },
    max_attempts: 1,
    max_lost: 0,
    expires: true,
    ..BASE
};

pub(super) const S3: Scenario = Scenario {
    name: "S3 submit, crash, submit again, reconcile",
    start: Start::Unsubmitted(2),
    budgets: Budgets { unknown: 1, client_crash: 1, ..NONE },
    max_events: 2,
    hosts: 1,
    reconcilers: 1,
    always_succeeds: true,
    ..BASE
};

pub(super) const S3B: Scenario = Scenario {
    name: "S3b the same with schedules",
    budgets: Budgets { client_crash: 1, late: 1, ..NONE },
    location: Location::Schedule,
    ..S3
};

pub(super) const S3C: Scenario = Scenario {
    name: "S3c a publish without an answer",
    budgets: Budgets { unanswered: 1, ..NONE },
    max_events: 1,
    ..S3
};

pub(super) const S4: Scenario = Scenario {
    name: "S4 a record expires and its id is used again",
    start: Start::Unsubmitted(2),
    budgets: Budgets { crash: 1, lapse: 1, ttl: 1, ..NONE },
    max_events: 2,
    always_succeeds: true,
    ..BASE
};

pub(super) const S5: Scenario = Scenario {
    name: "S5 two messages of one key, purge, reconcile",
    start: Start::Queued(2),
    budgets: Budgets { crash: 1, lapse: 1, purge: 1, ..NONE },
    max_events: 2,
    reconcilers: 1,
    always_succeeds: true,
    ..BASE
};

pub(super) const S5B: Scenario = Scenario {
    name: "S5b one message, purge, revoke, reconcile",
    budgets: Budgets { crash: 1, unknown: 1, purge: 1, revoke: 1, ..NONE },
    hosts: 1,
    reconcilers: 1,
    always_succeeds: true,
    ..BASE
};

pub(super) const S6: Scenario = Scenario {
    name: "S6 liars name revisions, the claim reads first",
    start: Start::Liars(3),
    budgets: Budgets { crash: 1, lapse: 1, ..NONE },
    max_events: 1,
    max_lost: 0,
    trust: false,
    always_succeeds: true,
    ..BASE
};

pub(super) const S7: Scenario = Scenario {
    name: "S7 poison, copies refused",
    budgets: Budgets { crash: 1, unknown: 1, lapse: 1, excess_deliveries: 1, refuse_copy: 1, ..NONE },
    copies: true,
    ..BASE
};

pub(super) const S8: Scenario = Scenario {
    name: "S8 a job is forgotten and its id used again",
    budgets: Budgets { crash: 1, lapse: 1, forget: 1, ..NONE },
    ..S4
};

pub(super) const S8B: Scenario = Scenario {
    name: "S8b a job that never ran is revoked, and its record expires",
    budgets: Budgets { revoke: 1, ttl: 1, ..NONE },
    hosts: 1,
    reconcilers: 1,
    ..S4
};

pub(super) const S8C: Scenario = Scenario {
    name: "S8c a late message meets the marker of its own record",
    start: Start::Unsubmitted(1),
    budgets: Budgets { client_crash: 1, late: 1, unanswered: 1, ttl: 1, forget: 1, ..NONE },
    reconcilers: 1,
    max_events: 3,
    ..S4
};

pub(super) const S9: Scenario = Scenario {
    name: "S9 the record becomes unreadable, or newer",
    budgets: Budgets { crash: 1, unknown: 1, lapse: 1, foreign_value: 1, refuse_copy: 1, ..NONE },
    always_succeeds: true,
    copies: true,
    ..BASE
};

pub(super) const S10: Scenario = Scenario {
    name: "S10 two reconcilers",
    budgets: Budgets { crash: 1, unknown: 1, purge: 1, revoke: 1, ..NONE },
    reconcilers: 2,
    ..S5B
};

pub(super) const S11: Scenario = Scenario {
    name: "S11 a raw job beside a submission with other arguments",
    start: Start::RawBeside(1),
    budgets: Budgets { unknown: 1, lapse: 1, client_crash: 1, ..NONE },
    max_events: 2,
    always_succeeds: true,
    reconcilers: 1,
    ..BASE
};

pub(super) const S11B: Scenario =
    Scenario { name: "S11b two clients, one id, different arguments", start: Start::Different(2), ..S3 };

pub(super) const S12: Scenario = Scenario {
    name: "S12 the time to stop moves",
    budgets: Budgets { crash: 1, unknown: 1, lapse: 1, revoke: 2, ..NONE },
    revoke_has_grace: true,
    always_succeeds: true,
    max_attempts: 1,
    ..BASE
};

pub(super) const S13: Scenario = Scenario {
    name: "S13 suspects are given back",
    budgets: Budgets { crash: 2, lapse: 1, give_back: 1, ..NONE },
    max_lost: 2,
    ..BASE
};

pub(super) const S14: Scenario = Scenario {
    name: "S14 three messages of one key, three hosts, purge",
    start: Start::Queued(3),
    budgets: Budgets { crash: 1, lapse: 1, purge: 1, ..NONE },
    max_events: 1,
    hosts: 3,
    one_host: false,
    reconcilers: 1,
    max_lost: 3,
    always_succeeds: true,
    ..BASE
};

pub(super) const S15: Scenario = Scenario {
    name: "S15 what fired comes again, and the id is used again",
    start: Start::Unsubmitted(2),
    budgets: Budgets { source_reset: 1, ttl: 1, ..NONE },
    max_events: 2,
    location: Location::Schedule,
    always_succeeds: true,
    ..BASE
};

pub(super) const S15R: Scenario = Scenario {
    name: "S15r a raw job that fired comes again when its record is gone",
    start: Start::RawScheduled,
    budgets: Budgets { source_reset: 1, ttl: 1, crash: 1, lapse: 1, ..NONE },
    max_events: 3,
    ..S15
};

pub(super) const S15B: Scenario = Scenario {
    name: "S15b what fired comes again while hosts die",
    start: Start::Unsubmitted(1),
    budgets: Budgets { source_reset: 1, crash: 1, lapse: 1, unknown: 1, ..NONE },
    max_events: 3,
    ..S15
};

pub(super) const S15C: Scenario = Scenario {
    name: "S15c what fired is taken from the job stream",
    start: Start::Unsubmitted(1),
    budgets: Budgets { source_reset: 1, crash: 1, purge: 1, ttl: 1, ..NONE },
    max_events: 3,
    hosts: 1,
    reconcilers: 1,
    ..S15
};

impl Scenario {
    /// Returns the scenario with more faults, and with more of them in one history.
    pub(super) fn widened(self) -> Self {
        let twice = |budget: u8| if budget == 0 { 0 } else { 2 };
        let Budgets { crash, unknown, .. } = self.budgets;
        let budgets = Budgets { crash: twice(crash), unknown: twice(unknown), ..self.budgets };
        Self { budgets, max_events: self.max_events + 1, touches: self.touches + 1, ..self }
    }
}

impl Model {
    /// Returns the first state of the scenario.
    pub(super) fn start(&mut self) -> World {
        let scenario = self.scenario;
        let (clients, distinct) = match scenario.start {
            Start::Unsubmitted(clients) | Start::RawBeside(clients) => (clients, false),
            Start::Different(clients) => (clients, true),
            Start::Queued(_) | Start::Liars(_) | Start::Raw | Start::RawScheduled => (0, false),
        };
        let client = |number| Client { args: if distinct { number } else { 0 }, ..Client::default() };
        let world = World {
            hosts: InlineList::from_items((0..scenario.hosts).map(|_| Host::default())),
            clients: InlineList::from_items((0..clients).map(client)),
            reconcilers: InlineList::from_items((0..scenario.reconcilers).map(|_| Reconciler::default())),
            budgets: scenario.budgets,
            consumer: 1,
            ..World::default()
        };
        match scenario.start {
            Start::Unsubmitted(_) | Start::Different(_) => world,
            Start::Raw => self.raw(world, 0),
            Start::RawScheduled => {
                let mut world = World { due: true, ..self.raw(world, 0) };
                world.messages[0].location = Location::Schedule;
                world
            }
            // Only one of the two jobs can have the id, and it is not promised that the raw one runs.
            Start::RawBeside(_) => World { ghost: Ghosts::default(), ..self.raw(world, 9) },
            Start::Queued(messages) => self.queued(world, messages, 0),
            Start::Liars(messages) => self.queued(world, messages, 1),
        }
    }

    fn raw(&self, world: World, args: u8) -> World {
        let publish = Publish { args, generation: 1, ..Publish::default() };
        let messages = InlineList::from_items([Message { seq: 1, publish, ..Message::default() }]);
        World {
            messages,
            last_seq: 1,
            generations: 1,
            ghost: Ghosts { accepted: 2, ..Ghosts::default() },
            ..world
        }
    }

    fn queued(&mut self, world: World, messages: u8, lie: u8) -> World {
        let job = JobSpec {
            submitted_at: clock::submitted(0),
            expires_at: self.expires_at(&world),
            args_digest: Some(args(0)),
            ..self.blank_submission()
        };
        let intent = self.client_intent(&world, Transition::Submit(job));
        let pending = transition(None, &intent).expect("a client may record a job where there is none");
        let message = |at| {
            let publish = Publish { revision: 1 + at * lie, generation: 1, ..Publish::default() };
            Message { seq: at + 1, publish, stored_after: 1, ..Message::default() }
        };
        World {
            record_id: Some(self.intern(pending, Ghost { claim: 0, generation: 1 })),
            revision: 1,
            writes: 1,
            messages: InlineList::from_items((0..messages).map(message)),
            last_seq: messages,
            generations: 1,
            remembered_ids: 1 << 1,
            ghost: Ghosts { accepted: 2, ..Ghosts::default() },
            ..world
        }
    }
}
