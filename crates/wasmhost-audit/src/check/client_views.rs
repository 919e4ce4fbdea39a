//! What clients saw: the result of every success is readable (I8), and a watcher sees rising revisions and the end (I9).

use super::evidence::Evidence;
use super::found::Found;
use crate::capture::{ResultRead, Watch};
use crate::history::{Segment, Stop};
use crate::report::{Gap, Invariant};

/// Every result of a success is readable while its record stands (I8). A delete marker or a success that the capture lacks
/// would accuse an innocent job, so this is checked on complete captures only.
pub(super) fn results_are_readable(evidence: &Evidence<'_>, found: &mut Found) {
    if !evidence.saw_everything() {
        return;
    }
    for read in &evidence.results {
        let succeeded =
            |segment: &&Segment<'_>| segment.end().is_some_and(|end| end.facts.state == "SUCCESS");
        match (read.readable, evidence.of_job(&read.key).iter().rfind(succeeded)) {
            (true, Some(_)) | (false, None) => {}
            (true, None) => {
                found.violation(Invariant::I8, &read.key, &[], "a result was read of what never succeeded");
            }
            (false, Some(segment)) => unreadable(read, segment, found),
        }
    }
}

fn unreadable(read: &ResultRead, segment: &Segment<'_>, found: &mut Found) {
    let stood = match (segment.stop, read.at) {
        (Stop::Open, _) => true,
        (Stop::Deleted(_, deleted), Some(at)) => at < deleted,
        (Stop::Deleted(..), None) => {
            found.gaps.push(Gap::Expired { key: read.key.clone() });
            false
        }
    };
    // Before the end there was no result to read.
    let asked_before = segment.end().zip(read.at).is_some_and(|(end, at)| at < end.stored_at);
    if stood && !asked_before {
        let revisions: Vec<_> = segment.end().map(|end| end.revision).into_iter().collect();
        found.violation(Invariant::I8, &read.key, &revisions, "SUCCESS, and its result is not readable");
    }
}

/// The revisions that a watcher saw increase, were stored, and end with the job's end (I9).
pub(super) fn watchers_saw_the_end(evidence: &Evidence<'_>, found: &mut Found) {
    for watch in &evidence.watches {
        // The order alone proves this, whatever the capture lacks.
        if let Some(pair) = watch.revisions.windows(2).find(|pair| pair[0] >= pair[1]) {
            let seen = format!("a watcher saw {} and then {}", pair[0], pair[1]);
            found.violation(Invariant::I9, &watch.key, pair, seen);
        }
        if evidence.saw_everything() {
            watched_revisions_are_stored(evidence, watch, found);
        }
    }
}

fn watched_revisions_are_stored(evidence: &Evidence<'_>, watch: &Watch, found: &mut Found) {
    let segments = evidence.of_job(&watch.key);
    let stored =
        |number: &u64| evidence.bucket.get(*number).is_some_and(|revision| revision.key == watch.key);
    if let Some(number) = watch.revisions.iter().find(|number| !stored(number)) {
        found.violation(
            Invariant::I9,
            &watch.key,
            &[*number],
            "a watcher saw a revision that was not stored",
        );
    }
    let newest = watch.revisions.last();
    let ends = || segments.iter().filter_map(Segment::end).map(|end| end.revision);
    if watch.stayed && !ends().any(|end| Some(&end) == newest) {
        let expected = ends().next_back().map_or("none".to_owned(), |end| end.to_string());
        let seen = format!("a watcher stayed and did not see the end, which is revision {expected}");
        found.violation(Invariant::I9, &watch.key, &newest.copied().into_iter().collect::<Vec<_>>(), seen);
    }
}
