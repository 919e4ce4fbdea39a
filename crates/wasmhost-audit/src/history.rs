//! The revisions of each job in order. They are cut where a revision is missing and where the record was deleted, so that
//! checks compare only revisions that really follow each other. What is missing is noted as a gap.

mod bucket;

use std::collections::BTreeMap;

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::timestamp::Timestamp;

use crate::capture::{Marker, Revision};
use crate::facts::{Facts, NoFacts};
use crate::report::Gap;

pub(crate) use bucket::Bucket;

/// A record as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step<'a> {
    pub(crate) revision: u64,
    pub(crate) stored_at: Timestamp,
    pub(crate) facts: Facts<'a>,
}

/// Where a segment starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// With the first revision of a use of the id.
    Fresh,
    /// In the middle: what came before was not seen.
    Cut,
}

/// Where a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A delete marker followed.
    Deleted(Marker, Timestamp),
    /// No more was seen.
    Open,
}

/// Records of one use of an id, each of which directly follows the one before.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Segment<'a> {
    pub(crate) start: Start,
    pub(crate) steps: Vec<Step<'a>>,
    pub(crate) stop: Stop,
}

impl<'a> Segment<'a> {
    /// Each step with the one that follows it.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&Step<'a>, &Step<'a>)> {
        self.steps.windows(2).map(|pair| (&pair[0], &pair[1]))
    }

    /// The steps that are claims: each has another token than the step before.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &Step<'a>> {
        let first = self.steps.first().filter(|step| {
            // After a cut the first record may be any write of an attempt whose claim was not seen.
            self.start == Start::Fresh && step.facts.token.is_some() && !step.facts.is_terminal()
        });
        let later = self.pairs().filter(|(from, to)| is_claim(from, to)).map(|(_, to)| to);
        first.into_iter().chain(later)
    }

    /// The first terminal record.
    pub(crate) fn end(&self) -> Option<&Step<'a>> {
        self.steps.iter().find(|step| step.facts.is_terminal())
    }

    /// The newest record.
    pub(crate) fn last(&self) -> Option<&Step<'a>> {
        self.steps.last()
    }
}

/// Whether the second step is another claim than the first.
pub(crate) fn is_claim(from: &Step<'_>, to: &Step<'_>) -> bool {
    to.facts.token.is_some() && from.facts.token != to.facts.token
}

/// What the capture has of each job, and what it lacks.
#[derive(Debug, Default)]
pub(crate) struct Histories<'a> {
    pub(crate) jobs: BTreeMap<&'a JobKey, Vec<Segment<'a>>>,
    pub(crate) gaps: Vec<Gap>,
    /// Values that are not records, each with the reason.
    pub(crate) unreadable: Vec<(&'a Revision, String)>,
}

impl<'a> Histories<'a> {
    /// Puts the bucket's revisions in order.
    pub(crate) fn of(bucket: &Bucket<'a>) -> Self {
        let mut by_key: BTreeMap<&JobKey, Vec<&'a Revision>> = BTreeMap::new();
        for revision in bucket.revisions() {
            by_key.entry(&revision.key).or_default().push(revision);
        }
        let mut histories = Self { gaps: bucket.gaps(), ..Self::default() };
        for (key, revisions) in by_key {
            let segments = histories.segments(bucket, &revisions);
            histories.jobs.insert(key, segments);
        }
        histories
    }

    fn segments(&mut self, bucket: &Bucket<'_>, revisions: &[&'a Revision]) -> Vec<Segment<'a>> {
        let mut cut = Cutter::default();
        let mut before = None;
        for revision in revisions {
            let facts = self.facts(revision);
            let start = match follows(bucket, before, revision, facts.as_ref()) {
                Ok(start) => start,
                Err(missing) => {
                    let key = revision.key.clone();
                    self.gaps.push(Gap::Revision { key, before: revision.revision, missing });
                    Some(Start::Cut)
                }
            };
            if let Some(start) = start {
                cut.begin(start);
            }
            match (facts, revision.marker) {
                (Some(facts), None) => cut.push(revision, facts),
                (_, Some(marker)) => cut.delete(marker, revision.stored_at),
                // Nothing is known of how a value that is no record follows its neighbours.
                (None, None) => cut.begin(Start::Cut),
            }
            before = Some(*revision);
        }
        cut.done
    }

    fn facts(&mut self, revision: &'a Revision) -> Option<Facts<'a>> {
        if revision.marker.is_some() {
            return None;
        }
        let key = revision.key.clone();
        let number = revision.revision;
        match Facts::read(&revision.record) {
            // It is what recorders make of a marker with an unknown reason. As an unreadable value it would accuse
            // the job.
            _ if revision.record.is_null() => {
                let why = "neither a record nor a delete marker".to_owned();
                self.gaps.push(Gap::Unchecked { key, revision: number, why });
                None
            }
            Ok(facts) => Some(facts),
            // A newer version breaks no promise; only this auditor cannot check it.
            Err(NoFacts::Version(why)) => {
                self.gaps.push(Gap::Unchecked { key, revision: number, why });
                None
            }
            Err(NoFacts::Unreadable(why)) => {
                self.unreadable.push((revision, why));
                None
            }
        }
    }
}

/// How a revision follows the one before: directly (none), or as the first of a segment. The error is the revision that is
/// missing between them, where it is known.
fn follows(
    bucket: &Bucket<'_>,
    before: Option<&Revision>,
    revision: &Revision,
    facts: Option<&Facts<'_>>,
) -> Result<Option<Start>, Option<u64>> {
    // A record that names the marker before it in `after` begins a use of the id, even where the marker was not seen.
    let fresh = |previous| previous == 0 || facts.is_some_and(|facts| facts.after == Some(previous));
    match (before, revision.previous) {
        // The marker of a job whose records are older than the recording.
        (None, _) if revision.marker.is_some() => Ok(Some(Start::Cut)),
        (None, Some(previous)) if fresh(previous) => Ok(Some(Start::Fresh)),
        // A revision that was read from the bucket does not name the one before. Where no number is missing in
        // between, none of this key can have been there.
        (None, None) if bucket.saw_all_between(0, revision.revision) => Ok(Some(Start::Fresh)),
        (None, missing) => Err(missing),
        (Some(before), Some(previous)) => match (before.revision == previous, before.marker) {
            (true, None) => Ok(None),
            (true, Some(_)) => Ok(Some(Start::Fresh)),
            // The marker itself had expired meanwhile.
            (false, Some(_)) if previous == 0 => Ok(Some(Start::Fresh)),
            (false, _) => Err(Some(previous)),
        },
        (Some(before), None) if bucket.saw_all_between(before.revision, revision.revision) => {
            Ok(before.marker.map(|_| Start::Fresh))
        }
        (Some(_), None) => Err(None),
    }
}

/// Builds segments.
#[derive(Default)]
struct Cutter<'a> {
    done: Vec<Segment<'a>>,
    start: Option<Start>,
}

impl<'a> Cutter<'a> {
    /// Lets the next record start a segment.
    fn begin(&mut self, start: Start) {
        self.start = Some(start);
    }

    fn push(&mut self, revision: &Revision, facts: Facts<'a>) {
        let step = Step { revision: revision.revision, stored_at: revision.stored_at, facts };
        match (self.start.take(), self.done.last_mut()) {
            (None, Some(segment)) => segment.steps.push(step),
            (start, _) => {
                let start = start.unwrap_or(Start::Cut);
                self.done.push(Segment { start, steps: vec![step], stop: Stop::Open });
            }
        }
    }

    fn delete(&mut self, marker: Marker, at: Timestamp) {
        // After a cut it is not known whether the marker belongs to the records before it.
        if let (None, Some(segment)) = (self.start, self.done.last_mut())
            && segment.stop == Stop::Open
        {
            segment.stop = Stop::Deleted(marker, at);
        }
        self.start = Some(Start::Fresh);
    }
}
