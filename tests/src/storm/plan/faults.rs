//! Plans which fault happens when to whom. The time is divided into turns. In each turn every host slot has at most one fault,
//! which is over before the next turn.

use std::time::Duration;

use super::{ACK_WAIT, Planned, Rng, Scale, Theme};
use crate::{
    proxy::Direction,
    storm::fault::{Fault, Line, Moment, Write},
};

/// The length of a turn: that of the longest fault, and time to recover.
const TURN: Duration = Duration::from_millis(6_000);

/// Faults begin in the first part of a turn, in milliseconds.
const BEGIN_MS: u64 = 1_000;

/// In one of this many turns all hosts are restarted one by one instead.
const RESTARTS_EVERY: u32 = 4;

/// How long nats-server is down, in milliseconds: the least and the most.
const SERVER_DOWN_MS: (u64, u64) = (200, 1_200);

/// What may happen to the host in a host slot.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Kill,
    Pause,
    ShortStall(Direction),
    LongStall(Direction),
    Cut,
    Slow,
    Lose(Write),
}

/// The faults of a storm about everything. Each comes once before any comes again.
const EVERYTHING: [Kind; 14] = [
    Kind::Kill,
    Kind::Kill,
    Kind::Kill,
    Kind::Pause,
    Kind::Pause,
    Kind::Pause,
    Kind::ShortStall(Direction::ToServer),
    Kind::ShortStall(Direction::ToClient),
    Kind::LongStall(Direction::ToServer),
    Kind::LongStall(Direction::ToClient),
    Kind::Cut,
    Kind::Slow,
    Kind::Lose(Write::Started),
    Kind::Lose(Write::Success),
];

/// The faults of a storm about late ends.
const LATE_ENDS: [Kind; 4] = [
    Kind::LongStall(Direction::ToServer),
    Kind::LongStall(Direction::ToServer),
    Kind::LongStall(Direction::ToServer),
    Kind::Pause,
];

pub(super) fn plan(rng: &mut Rng, theme: Theme, scale: Scale) -> Vec<Planned> {
    let turns = u32::try_from(scale.time.as_millis() / TURN.as_millis()).unwrap_or(u32::MAX).max(1);
    let mut unused = Vec::new();
    let mut all = Vec::new();
    for turn in 0..turns {
        let begin = TURN * turn;
        if turn % RESTARTS_EVERY == RESTARTS_EVERY - 1 {
            restart_all(&mut all, scale, begin);
        } else {
            for host_slot in 0..scale.hosts {
                let kind = next_kind(rng, theme, &mut unused);
                host_fault(rng, &mut all, host_slot, begin, kind);
            }
        }
        client_fault(rng, &mut all, begin, turn);
        if turn % 2 == 1 {
            let moment = if turn % 4 == 1 { Moment::AmidWrites } else { Moment::AtRest };
            kill_server(rng, &mut all, begin, moment);
        }
    }
    all.sort_by_key(|planned| planned.at);
    all
}

/// Chooses a fault that was not used since all of them were available.
fn next_kind(rng: &mut Rng, theme: Theme, unused: &mut Vec<Kind>) -> Kind {
    if unused.is_empty() {
        match theme {
            Theme::Everything => unused.extend(EVERYTHING),
            Theme::LateEnds => unused.extend(LATE_ENDS),
        }
        rng.shuffle(unused);
    }
    unused.pop().expect("a list that was just filled")
}

/// Restarts all hosts one after the other, each with time to drain.
fn restart_all(all: &mut Vec<Planned>, scale: Scale, begin: Duration) {
    let pause = (TURN - ACK_WAIT) / u32::try_from(scale.hosts).unwrap_or(u32::MAX).max(1);
    for (number, host_slot) in (0..).zip(0..scale.hosts) {
        all.push(Planned { at: begin + pause * number, fault: Fault::Terminate(host_slot) });
    }
}

fn host_fault(rng: &mut Rng, all: &mut Vec<Planned>, host_slot: usize, begin: Duration, kind: Kind) {
    let at = begin + rng.ms(0..=BEGIN_MS);
    let line = Line::Host(host_slot);
    let long = ACK_WAIT + rng.ms(800..=2_000);
    let mut lasting = |fault, end, length| {
        all.extend([Planned { at, fault }, Planned { at: at + length, fault: end }]);
    };
    match kind {
        Kind::Kill => all.push(Planned { at, fault: Fault::Kill(host_slot) }),
        Kind::Pause => lasting(Fault::Pause(host_slot), Fault::Resume(host_slot), long),
        Kind::ShortStall(direction) => {
            lasting(Fault::Stall(line, direction), Fault::Heal(line), rng.ms(200..=1_500));
        }
        Kind::LongStall(direction) => lasting(Fault::Stall(line, direction), Fault::Heal(line), long),
        Kind::Cut => all.push(Planned { at, fault: Fault::Cut(line) }),
        Kind::Slow => {
            let delay = rng.ms(5..=60);
            lasting(Fault::Slow(line, delay), Fault::Heal(line), rng.ms(1_000..=3_000));
        }
        Kind::Lose(write) => all.push(Planned { at, fault: Fault::LoseAnswer(line, write) }),
    }
}

/// A fault of the clients' line. They are cut off for short times only, because a client gives up where a host does not.
fn client_fault(rng: &mut Rng, all: &mut Vec<Planned>, begin: Duration, turn: u32) {
    let at = begin + rng.ms(0..=BEGIN_MS);
    let line = Line::Clients;
    let stall = |direction| Fault::Stall(line, direction);
    let fault = match turn % 4 {
        0 => Fault::LoseAnswer(line, Write::Pending),
        1 => stall(Direction::ToClient),
        2 => Fault::Cut(line),
        _ => stall(Direction::ToServer),
    };
    all.push(Planned { at, fault });
    if matches!(fault, Fault::Stall(..)) {
        all.push(Planned { at: at + rng.ms(300..=2_000), fault: Fault::Heal(line) });
    }
}

fn kill_server(rng: &mut Rng, all: &mut Vec<Planned>, begin: Duration, moment: Moment) {
    let at = begin + rng.ms(0..=3_000);
    let away = rng.ms(SERVER_DOWN_MS.0..=SERVER_DOWN_MS.1);
    let both = [(at, Fault::KillServer(moment)), (at + away, Fault::StartServer)];
    all.extend(both.map(|(at, fault)| Planned { at, fault }));
}
