//! When which fault befalls whom. The time is cut into turns; in each turn every host_slot has at most one fault, which is
//! over before the next turn.

use std::time::Duration;

use super::{ACK_WAIT, Planned, Rng, Scale, Theme};
use crate::{
    proxy::Direction,
    storm::fault::{Fault, Line, Moment, Write},
};

/// One turn: the longest fault, and time to recover.
const TURN: Duration = Duration::from_millis(6_000);

/// Faults begin within so much of a turn.
const BEGIN_MS: u64 = 1_000;

/// Every so many turns all hosts are restarted one by one instead.
const RESTARTS_EVERY: u32 = 4;

/// How long nats-server is away, in milliseconds.
const SERVER_AWAY_MS: (u64, u64) = (200, 1_200);

/// What may befall a host_slot.
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

/// Each is dealt once before any is dealt again.
const DECK: [Kind; 14] = [
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

/// That of late ends.
const LATE_ENDS: [Kind; 4] = [
    Kind::LongStall(Direction::ToServer),
    Kind::LongStall(Direction::ToServer),
    Kind::LongStall(Direction::ToServer),
    Kind::Pause,
];

pub(super) fn plan(rng: &mut Rng, theme: Theme, scale: Scale) -> Vec<Planned> {
    let turns = u32::try_from(scale.time.as_millis() / TURN.as_millis()).unwrap_or(u32::MAX).max(1);
    let mut deck = Vec::new();
    let mut all = Vec::new();
    for turn in 0..turns {
        let begin = TURN * turn;
        if turn % RESTARTS_EVERY == RESTARTS_EVERY - 1 {
            restart_all(&mut all, scale, begin);
        } else {
            for host_slot in 0..scale.hosts {
                let kind = deal(rng, theme, &mut deck);
                befall_seat(rng, &mut all, host_slot, begin, kind);
            }
        }
        befall_clients(rng, &mut all, begin, turn);
        if turn % 2 == 1 {
            let moment = if turn % 4 == 1 { Moment::AmidWrites } else { Moment::AtRest };
            kill_server(rng, &mut all, begin, moment);
        }
    }
    all.sort_by_key(|planned| planned.at);
    all
}

fn deal(rng: &mut Rng, theme: Theme, deck: &mut Vec<Kind>) -> Kind {
    if deck.is_empty() {
        match theme {
            Theme::Everything => deck.extend(DECK),
            Theme::LateEnds => deck.extend(LATE_ENDS),
        }
        rng.shuffle(deck);
    }
    deck.pop().expect("a deck that was just filled")
}

/// One after the other, each with time to drain.
fn restart_all(all: &mut Vec<Planned>, scale: Scale, begin: Duration) {
    let pause = (TURN - ACK_WAIT) / u32::try_from(scale.hosts).unwrap_or(u32::MAX).max(1);
    for (number, host_slot) in (0..).zip(0..scale.hosts) {
        all.push(Planned { at: begin + pause * number, fault: Fault::Terminate(host_slot) });
    }
}

fn befall_seat(rng: &mut Rng, all: &mut Vec<Planned>, host_slot: usize, begin: Duration, kind: Kind) {
    let at = begin + rng.ms(0..=BEGIN_MS);
    let line = Line::Seat(host_slot);
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

/// Those who submit are cut off for short times only: they give up where a host would not.
fn befall_clients(rng: &mut Rng, all: &mut Vec<Planned>, begin: Duration, turn: u32) {
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
    let away = rng.ms(SERVER_AWAY_MS.0..=SERVER_AWAY_MS.1);
    let both = [(at, Fault::KillServer(moment)), (at + away, Fault::StartServer)];
    all.extend(both.map(|(at, fault)| Planned { at, fault }));
}
