//! What the other checks rely on: a record belongs to its key, a write happens once, the server gives a revision's number
//! once, and the recorded arguments are those that were accepted.

use std::collections::HashMap;

use super::evidence::Evidence;
use super::found::Found;
use crate::capture::Answer;
use crate::report::Invariant;

/// Every value of the bucket is a record, and stands under its own key.
pub(super) fn records_are_their_own(evidence: &Evidence<'_>, found: &mut Found) {
    for (revision, why) in &evidence.histories.unreadable {
        let seen = format!("the value is {why}");
        found.violation(Invariant::Readable, &revision.key, &[revision.revision], seen);
    }
    for (key, segment) in evidence.segments() {
        for step in &segment.steps {
            let task = step.facts.task;
            let id = step.facts.id;
            if task != key.task().as_str() || id != key.id().as_str() {
                let seen = format!("the record is that of {task}.{id}");
                found.violation(Invariant::Key, key, &[step.revision], seen);
            }
        }
    }
}

/// No two revisions have the same `write`.
pub(super) fn writes_are_unique(evidence: &Evidence<'_>, found: &mut Found) {
    let mut writes = HashMap::new();
    for (key, segment) in evidence.segments() {
        for step in &segment.steps {
            if let Some(first) = writes.insert(step.facts.write, step.revision) {
                let seen = format!("write {} was stored twice", step.facts.write);
                found.violation(Invariant::Write, key, &[first, step.revision], seen);
            }
        }
    }
}

/// No revision was seen with two contents.
pub(super) fn numbers_are_given_once(evidence: &Evidence<'_>, found: &mut Found) {
    for (one, other) in &evidence.bucket.contradictions {
        let seen = format!("revision {} was seen with two contents, also as {}", one.revision, other.key);
        found.violation(Invariant::Stored, &one.key, &[one.revision], seen);
    }
}

/// The arguments of an accepted job are those of its record.
pub(super) fn arguments_are_those_accepted(evidence: &Evidence<'_>, found: &mut Found) {
    for submit in evidence.submits.iter().filter(|submit| submit.answer == Answer::Accepted) {
        let segments = evidence.of_job(&submit.key);
        // The digest never changes within a use of the id, so that any record of it will do. The submission belongs
        // to one of the uses, and it is not known to which.
        let mut digests = segments.iter().filter_map(|segment| segment.last()?.facts.args_digest).peekable();
        let Some(sent) = submit.args_digest.as_deref() else { continue };
        if digests.peek().is_some() && digests.all(|digest| digest != sent) && evidence.saw_everything() {
            let revisions: Vec<_> =
                segments.iter().filter_map(|segment| Some(segment.last()?.revision)).collect();
            let seen = format!("accepted with arguments {sent}, which no record has");
            found.violation(Invariant::Arguments, &submit.key, &revisions, seen);
        }
    }
}
