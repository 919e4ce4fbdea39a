//! The report as people read it.

use std::collections::BTreeMap;
use std::fmt;

use wasmhost_protocol::text::escape;

use super::{Report, Verdict, Violation};

/// Lines of each list; the JSON has all.
const SHOWN: usize = 30;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proven => f.write_str("proven"),
            Self::NotProven(why) => write!(f, "not proven: {why}"),
            Self::Broken => f.write_str("broken"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.invariant, self.key, escape(&self.seen))?;
        match self.revisions.as_slice() {
            [] => Ok(()),
            [one] => write!(f, " (revision {one})"),
            many => {
                let numbers: Vec<_> = many.iter().map(u64::to_string).collect();
                write!(f, " (revisions {})", numbers.join(", "))
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.verdict)?;
        writeln!(f, "jobs       {}, {} accepted", self.jobs, self.accepted)?;
        writeln!(f, "revisions  {}", self.revisions)?;
        writeln!(f, "claims     {}, {} of them takeovers", self.claims, self.takeovers)?;
        writeln!(f, "effects    {}", self.effects)?;
        writeln!(f, "ends       {}", counts(&self.ends))?;
        writeln!(f, "faults     {}", counts(&self.faults))?;
        list(f, "violations", &self.violations)?;
        list(f, "gaps", &self.gaps)
    }
}

fn counts(counts: &BTreeMap<String, usize>) -> String {
    let counts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {}", escape(word))).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

fn list(f: &mut fmt::Formatter<'_>, title: &str, items: &[impl fmt::Display]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}: {}", items.len())?;
    for item in items.iter().take(SHOWN) {
        writeln!(f, "  {item}")?;
    }
    match items.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}
