use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::storm::{
    fault::{Fault, Kind, Line},
    job::{Again, Behaviour, Route},
};

const SCALE: Scale = Scale { jobs: 500, time: Duration::from_secs(36), hosts: 4 };

#[test]
fn a_seed_is_one_storm_and_another_seed_another() {
    assert_eq!(Plan::new(7, SCALE), Plan::new(7, SCALE));
    let one = Plan::new(7, SCALE);
    let other = Plan::new(8, SCALE);
    assert_ne!(one.jobs, other.jobs);
    assert_ne!(one.faults, other.faults);
}

#[test]
fn every_storm_has_every_kind_of_fault() {
    for seed in 0..50 {
        let plan = Plan::new(seed, SCALE);
        let kinds: BTreeSet<_> = plan.faults.iter().filter_map(|planned| planned.fault.kind()).collect();
        assert_eq!(kinds.len(), Kind::ALL.len(), "seed {seed}: {kinds:?}");
        assert!(plan.faults.is_sorted_by_key(|planned| planned.at), "seed {seed}");
    }
}

#[test]
fn every_storm_has_every_kind_of_job() {
    for seed in 0..50 {
        let jobs = Plan::new(seed, SCALE).jobs;
        assert_eq!(jobs.len(), SCALE.jobs);
        assert_eq!(jobs.iter().map(|job| &job.id).collect::<BTreeSet<_>>().len(), SCALE.jobs);
        assert!(jobs.iter().all(|job| job.at < SCALE.time), "seed {seed}");
        let some = |wanted: fn(&Job) -> bool| assert!(jobs.iter().any(wanted), "seed {seed}");
        some(|job| job.behaviour == Behaviour::KillsHost);
        some(|job| job.behaviour == Behaviour::Traps);
        some(|job| job.behaviour == Behaviour::Large);
        some(|job| job.route == Route::RawWithoutId);
        some(|job| job.route == Route::Orphan);
        some(|job| job.route == Route::Abandoned);
        some(|job| job.delay.is_some());
        some(|job| job.revoke.is_some());
        some(|job| job.watched);
        some(|job| job.again == Some(Again::AtOnce));
        some(|job| matches!(job.again, Some(Again::Later(_))));
        some(|job| matches!(job.again, Some(Again::OtherQueue(_))));
    }
}

#[test]
fn what_needs_options_is_never_published_without() {
    for seed in 0..50 {
        for job in Plan::new(seed, SCALE).jobs.iter().filter(|job| job.behaviour.max_attempts().is_some()) {
            let raw = matches!(job.again, Some(Again::OtherQueue(_)));
            assert!(job.route == Route::Client && !raw, "seed {seed}: {job:?}");
        }
    }
}

#[test]
fn what_begins_also_ends_before_the_next_begins() {
    for seed in 0..50 {
        let mut open: BTreeMap<String, Fault> = BTreeMap::new();
        for Planned { fault, .. } in Plan::new(seed, SCALE).faults {
            let target = match fault {
                Fault::Pause(host_slot) | Fault::Resume(host_slot) => format!("host {host_slot}"),
                Fault::Stall(line, _) | Fault::Slow(line, _) | Fault::Heal(line) => match line {
                    Line::Host(host_slot) => format!("host {host_slot}"),
                    Line::Clients => "clients".to_owned(),
                },
                Fault::KillServer(_) | Fault::StartServer => "server".to_owned(),
                Fault::Kill(_) | Fault::Terminate(_) | Fault::Cut(_) | Fault::LoseAnswer(..) => continue,
            };
            match fault.kind() {
                Some(_) => assert_eq!(open.insert(target, fault), None, "seed {seed}: {fault:?}"),
                None => assert!(open.remove(&target).is_some(), "seed {seed}: {fault:?}"),
            }
        }
        assert!(open.is_empty(), "seed {seed}: {open:?}");
    }
}
