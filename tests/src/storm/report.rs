//! The report of a storm, for people and for tests.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use wasmhost_audit::{Report as Audit, Verdict};

/// Complaints that are printed. The directory that is kept has all of them.
const SHOWN: usize = 40;

/// What came of a storm.
#[derive(Debug)]
pub struct Report {
    /// The seed, from which the storm can be run again.
    pub seed: u64,
    /// How many jobs the plan has.
    pub jobs: usize,
    /// How many answers to submits there were, duplicates included.
    pub submits: usize,
    /// How many faults really happened, by kind.
    pub faults: BTreeMap<&'static str, usize>,
    /// How many hosts were killed by the jobs that ask for it.
    pub kills_by_jobs: usize,
    /// How many jobs the reconciler ended.
    pub reconciled: usize,
    /// The answers to revokes, and how often each came.
    pub revokes: BTreeMap<String, usize>,
    /// The auditor's report.
    pub audit: Audit,
    /// What else is wrong: the plan lets expect something that did not happen, or the harness failed.
    pub complaints: Vec<String>,
    /// The directory with the capture and the logs, which is kept where something is wrong.
    pub kept: Option<PathBuf>,
}

impl Report {
    /// Whether every promise was kept, and the run shows it.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.audit.verdict == Verdict::Proven && self.complaints.is_empty()
    }

    /// Whether a promise was broken, or the storm did not go as planned.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.audit.verdict == Verdict::Broken || !self.complaints.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, jobs, submits, audit, .. } = self;
        writeln!(f, "storm of seed {seed}: {jobs} jobs, {submits} answers to submits")?;
        writeln!(f, "faults: {}", counts(&self.faults))?;
        writeln!(f, "hosts killed by jobs: {}", self.kills_by_jobs)?;
        writeln!(f, "takeovers: {}, reconciled: {}", audit.takeovers, self.reconciled)?;
        writeln!(f, "revokes: {}", counts(&self.revokes))?;
        writeln!(f, "ends: {}", counts(&audit.ends))?;
        writeln!(f, "{audit}")?;
        for complaint in self.complaints.iter().take(SHOWN) {
            writeln!(f, "storm: {complaint}")?;
        }
        if self.complaints.len() > SHOWN {
            writeln!(f, "storm: … {} more", self.complaints.len() - SHOWN)?;
        }
        match &self.kept {
            Some(directory) => write!(f, "capture and logs: {}", directory.display()),
            None => f.write_str("nothing is wrong"),
        }
    }
}

fn counts<K: fmt::Display>(counts: &BTreeMap<K, usize>) -> String {
    counts.iter().map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(", ")
}
