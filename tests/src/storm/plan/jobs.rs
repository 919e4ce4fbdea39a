//! Plans the jobs of a storm.

use std::time::Duration;

use super::{ACK_WAIT, Job, Rng, Scale, Theme};
use crate::storm::job::{Again, Behaviour, How, Revoke, Route};

/// One job of this many kills its host, twice. More would leave no host to run the others.
const ONE_KILLER_IN: usize = 200;

/// How many jobs kill their hosts at least, in a small storm.
const KILLERS: usize = 2;

/// What a job may do. For how long and how often is chosen for each job.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Quick,
    Silent,
    Progress,
    SlowFirst,
    Fails,
    Traps,
    Refuses,
    Large,
    Fragile,
}

/// The kinds of jobs in a storm about everything, by weight.
const MIX: [(u32, Kind); 9] = [
    (34, Kind::Quick),
    (14, Kind::Silent),
    (14, Kind::Progress),
    (6, Kind::SlowFirst),
    (16, Kind::Fails),
    (3, Kind::Traps),
    (2, Kind::Refuses),
    (3, Kind::Large),
    (8, Kind::Fragile),
];

/// The kinds of jobs in a storm about late ends, by weight.
const LATE_ENDS: [(u32, Kind); 2] = [(80, Kind::Fragile), (20, Kind::Silent)];

pub(super) fn plan(rng: &mut Rng, theme: Theme, scale: Scale) -> Vec<Job> {
    let (killers, mix) = match theme {
        Theme::Everything => ((scale.jobs / ONE_KILLER_IN).max(KILLERS), MIX.as_slice()),
        Theme::LateEnds => (0, LATE_ENDS.as_slice()),
    };
    let mut jobs: Vec<_> = (0..scale.jobs)
        .map(|number| {
            let at = rng.before(scale.time);
            if number < killers { killer(number, at) } else { job(rng, mix, number, at) }
        })
        .collect();
    jobs.sort_by_key(|job| job.at);
    jobs
}

/// A job that kills its hosts. It comes early, so that both of them die within the storm.
fn killer(number: usize, at: Duration) -> Job {
    let id = id(number);
    let at = at / 2;
    let behaviour = Behaviour::KillsHost;
    Job { id, at, behaviour, route: Route::Client, again: None, delay: None, revoke: None, watched: false }
}

fn job(rng: &mut Rng, mix: &[(u32, Kind)], number: usize, at: Duration) -> Job {
    let behaviour = behaviour(rng, mix);
    let route = route(rng, behaviour);
    let by_client = route == Route::Client;
    Job {
        id: id(number),
        at,
        behaviour,
        route,
        again: again(rng, route, behaviour),
        delay: (by_client && rng.percent(8)).then(|| rng.ms(200..=5_000)),
        revoke: (by_client && rng.percent(revoked_percent(behaviour))).then(|| revoke(rng)),
        watched: by_client && rng.percent(5),
    }
}

fn id(number: usize) -> String {
    format!("j{number:05}")
}

fn behaviour(rng: &mut Rng, mix: &[(u32, Kind)]) -> Behaviour {
    match rng.weighted(mix) {
        Kind::Quick => Behaviour::Quick,
        Kind::Silent => Behaviour::Silent(rng.ms(100..=2_500)),
        Kind::Progress => Behaviour::Progress(rng.ms(100..=2_500), rng.number(2..=8)),
        Kind::SlowFirst => Behaviour::SlowFirst(ACK_WAIT + rng.ms(200..=2_000)),
        Kind::Fails => {
            let how = rng.one_of(&[How::Failed, How::Retry, How::Panic, How::Trap]);
            Behaviour::Fails(rng.number(1..=2), how)
        }
        Kind::Traps => Behaviour::Traps,
        Kind::Refuses => Behaviour::Refuses,
        Kind::Large => Behaviour::Large,
        Kind::Fragile => Behaviour::Fragile(rng.ms(100..=2_500)),
    }
}

/// Chooses who submits a job. A raw message carries no options, so that only jobs without any may be raw.
fn route(rng: &mut Rng, behaviour: Behaviour) -> Route {
    match behaviour {
        Behaviour::Quick => rng.weighted(&[
            (67, Route::Client),
            (15, Route::Raw),
            (15, Route::RawWithoutId),
            (3, Route::Abandoned),
        ]),
        Behaviour::Silent(_) | Behaviour::Progress(..) => {
            rng.weighted(&[(75, Route::Client), (15, Route::Raw), (10, Route::RawWithoutId)])
        }
        Behaviour::SlowFirst(_) => rng.weighted(&[(60, Route::Client), (40, Route::Orphan)]),
        Behaviour::Fails(..)
        | Behaviour::Traps
        | Behaviour::Refuses
        | Behaviour::Large
        | Behaviour::Fragile(_)
        | Behaviour::KillsHost => Route::Client,
    }
}

/// Chooses whether a job is submitted again. A raw message carries no options, and may come first.
fn again(rng: &mut Rng, route: Route, behaviour: Behaviour) -> Option<Again> {
    if !rng.percent(12) {
        return None;
    }
    let later = rng.ms(0..=4_000);
    let other = rng.ms(0..=2_000);
    match route {
        Route::Client if behaviour.max_attempts().is_some() => {
            Some(rng.one_of(&[Again::AtOnce, Again::Later(later)]))
        }
        Route::Client => {
            Some(rng.weighted(&[(2, Again::AtOnce), (2, Again::Later(later)), (1, Again::OtherQueue(other))]))
        }
        Route::Raw => Some(Again::OtherQueue(other)),
        Route::RawWithoutId | Route::Orphan | Route::Abandoned => None,
    }
}

/// How many jobs of this behaviour are revoked, in percent. A job that ends at once is seldom revoked in time.
fn revoked_percent(behaviour: Behaviour) -> u32 {
    match behaviour {
        Behaviour::Quick | Behaviour::Traps | Behaviour::Refuses | Behaviour::Large => 4,
        Behaviour::Fails(..) => 8,
        Behaviour::Silent(_) | Behaviour::Progress(..) | Behaviour::SlowFirst(_) | Behaviour::Fragile(_) => {
            20
        }
        Behaviour::KillsHost => 0,
    }
}

fn revoke(rng: &mut Rng) -> Revoke {
    let grace = if rng.percent(30) { rng.ms(50..=500) } else { Duration::ZERO };
    Revoke { after: rng.ms(0..=1_000), grace, if_queued: rng.percent(15) }
}
