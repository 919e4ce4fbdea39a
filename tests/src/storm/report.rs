//! What came of a storm, for people and for tests.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use wasmhost_audit::{Report as Audit, Verdict};

/// Violations that are printed; all are in the directory that is kept.
const SHOWN: usize = 40;

/// What came of a storm.
#[derive(Debug)]
pub struct Report {
    /// The storm can be raised again from it.
    pub seed: u64,
    /// Jobs of the plan.
    pub jobs: usize,
    /// Submits that were answered, duplicates included.
    pub submits: usize,
    /// What happened, by kind.
    pub faults: BTreeMap<&'static str, usize>,
    /// Hosts killed by the jobs that ask for it.
    pub kills_by_jobs: usize,
    /// Writes of hosts that had lost their jobs.
    pub fenced: usize,
    /// Jobs that the reconciler ended.
    pub reconciled: usize,
    /// What clients who revoked were told, and how often.
    pub revokes: BTreeMap<String, usize>,
    /// The auditor's decision.
    pub audit: Audit,
    /// What is wrong beside that.
    pub complaints: Vec<String>,
    /// Where capture and logs are kept, where something is wrong.
    pub kept: Option<PathBuf>,
}

impl Report {
    /// Whether every promise was kept, and the run shows it.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.audit.verdict == Verdict::Proven && self.complaints.is_empty()
    }

    /// Whether a promise was broken, or the storm not as planned.
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
        writeln!(
            f,
            "takeovers: {}, fenced writes: {}, reconciled: {}",
            audit.takeovers, self.fenced, self.reconciled
        )?;
        writeln!(f, "revokes: {}", counts(&self.revokes))?;
        writeln!(f, "ends: {}", counts(&audit.ends))?;
        writeln!(f, "{audit}")?;
        for cli_error in self.complaints.iter().take(SHOWN) {
            writeln!(f, "storm: {cli_error}")?;
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
