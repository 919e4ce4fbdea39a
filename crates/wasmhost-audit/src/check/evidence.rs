//! The capture, sorted by kind and with the revisions of each job in order. Every check works on it.

use std::collections::BTreeSet;

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::timestamp::Timestamp;

use crate::capture::{Answer, Capture, Effect, Entry, Fault, Remaining, ResultRead, Revoke, Submit, Watch};
use crate::history::{Bucket, Histories, Segment};
use crate::slack::Slack;

/// A capture, sorted by kind.
pub(super) struct Evidence<'a> {
    pub(super) bucket: Bucket<'a>,
    pub(super) histories: Histories<'a>,
    pub(super) submits: Vec<&'a Submit>,
    pub(super) accepted: BTreeSet<&'a JobKey>,
    pub(super) effects: BTreeSet<&'a Effect>,
    pub(super) revokes: Vec<&'a Revoke>,
    pub(super) results: Vec<&'a ResultRead>,
    pub(super) watches: Vec<&'a Watch>,
    pub(super) remaining: Vec<&'a Remaining>,
    pub(super) faults: Vec<&'a Fault>,
    /// The last time at which the system was seen idle; none where it never was.
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
            remaining: Vec::new(),
            faults: Vec::new(),
            quiet: None,
            slack,
        };
        let mut revisions = Vec::new();
        let mut spans = Vec::new();
        for entry in &capture.entries {
            match entry {
                Entry::Submit(submit) => evidence.submit(submit),
                Entry::Revision(revision) => revisions.push(revision),
                // Two recordings of one run have the same lines: copies are one effect.
                Entry::Effect(effect) => drop(evidence.effects.insert(effect)),
                Entry::Revoke(revoke) => evidence.revokes.push(revoke),
                Entry::Result(result) => evidence.results.push(result),
                Entry::Watch(watch) => evidence.watches.push(watch),
                Entry::Remaining(message) => evidence.remaining.push(message),
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

    /// All segments of all jobs, each with its job's key.
    pub(super) fn segments(&self) -> impl Iterator<Item = (&'a JobKey, &Segment<'a>)> {
        self.histories.jobs.iter().flat_map(|(key, segments)| segments.iter().map(|segment| (*key, segment)))
    }

    /// The segments of one job.
    pub(super) fn of_job(&self, key: &JobKey) -> &[Segment<'a>] {
        self.histories.jobs.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether no revision is missing. Only then does the absence of a revision prove anything.
    pub(super) fn saw_everything(&self) -> bool {
        // The gaps that checks add themselves are no missing revisions.
        self.histories.gaps.is_empty()
    }

    /// Whether an operator removed the job's message, or perhaps did.
    pub(super) fn purged(&self, key: &JobKey) -> bool {
        let mut purges = self.faults.iter().filter(|fault| fault.fault == Fault::PURGE);
        purges.any(|fault| fault.key.as_ref().is_none_or(|purged| purged == key))
    }
}
