//! The capture, sorted by kind and put in order: what every check works on.

use std::collections::BTreeSet;

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::timestamp::Timestamp;

use super::Slack;
use crate::capture::{Answer, Capture, Effect, Entry, Fault, Left, ResultRead, Revoke, Submit, Watch};
use crate::history::{Bucket, Histories, Segment};

/// What was seen, sorted.
pub(super) struct Evidence<'a> {
    pub(super) bucket: Bucket<'a>,
    pub(super) histories: Histories<'a>,
    pub(super) submits: Vec<&'a Submit>,
    pub(super) accepted: BTreeSet<&'a JobKey>,
    pub(super) effects: BTreeSet<&'a Effect>,
    pub(super) revokes: Vec<&'a Revoke>,
    pub(super) results: Vec<&'a ResultRead>,
    pub(super) watches: Vec<&'a Watch>,
    pub(super) left: Vec<&'a Left>,
    pub(super) faults: Vec<&'a Fault>,
    /// When the system was seen idle, if it was.
    pub(super) quiet: Option<Timestamp>,
    pub(super) slack: Slack,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(capture: &'a Capture, slack: Slack) -> Self {
        let mut evidence = Self {
            bucket: Bucket::default(),
            histories: Histories::default(),
            submits: Vec::new(),
            accepted: BTreeSet::new(),
            effects: BTreeSet::new(),
            revokes: Vec::new(),
            results: Vec::new(),
            watches: Vec::new(),
            left: Vec::new(),
            faults: Vec::new(),
            quiet: None,
            slack,
        };
        let (mut revisions, mut spans) = (Vec::new(), Vec::new());
        for entry in &capture.entries {
            match entry {
                Entry::Submit(submit) => evidence.submit(submit),
                Entry::Revision(revision) => revisions.push(revision),
                Entry::Effect(effect) => drop(evidence.effects.insert(effect)),
                Entry::Revoke(revoke) => evidence.revokes.push(revoke),
                Entry::Result(result) => evidence.results.push(result),
                Entry::Watch(watch) => evidence.watches.push(watch),
                Entry::Left(left) => evidence.left.push(left),
                Entry::Fault(fault) => evidence.faults.push(fault),
                Entry::Span(span) => spans.push(span),
                Entry::Quiet(quiet) => evidence.quiet = evidence.quiet.max(Some(quiet.at)),
            }
        }
        evidence.bucket = Bucket::of(&revisions, &spans);
        evidence.histories = Histories::of(&evidence.bucket);
        evidence
    }

    fn submit(&mut self, submit: &'a Submit) {
        if submit.answer == Answer::Accepted {
            self.accepted.insert(&submit.key);
        }
        self.submits.push(submit);
    }

    /// All segments of all jobs.
    pub(super) fn segments(&self) -> impl Iterator<Item = (&'a JobKey, &Segment<'a>)> {
        self.histories.jobs.iter().flat_map(|(key, segments)| segments.iter().map(|segment| (*key, segment)))
    }

    /// The segments of one job.
    pub(super) fn of_job(&self, key: &JobKey) -> &[Segment<'a>] {
        self.histories.jobs.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether no revision is missing, so that an absence means something.
    pub(super) fn saw_everything(&self) -> bool {
        self.histories.gaps.is_empty()
    }

    /// Whether somebody removed the job's message.
    pub(super) fn purged(&self, key: &JobKey) -> bool {
        let mut purges = self.faults.iter().filter(|fault| fault.fault == Fault::PURGE);
        purges.any(|fault| fault.key.as_ref().is_none_or(|purged| purged == key))
    }
}
