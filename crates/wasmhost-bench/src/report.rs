//! What was measured, as JSON and as a table.

use std::fmt;

use serde::Serialize;

use crate::options::Options;
use crate::row::{Figures, Row};
use crate::scenario_kind::Scenario;
use crate::target::Target;

/// What was measured.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The version of wasmhost.
    pub version: &'static str,
    /// The cores of the machine.
    pub cores: usize,
    /// How often each scenario was measured.
    pub rounds: usize,
    /// The size of a job's arguments, in bytes of JSON.
    pub argument_bytes: usize,
    /// The callers of the closed scenario.
    pub callers: usize,
    /// The scenarios.
    pub rows: Vec<Row>,
    /// What a release has to reach of that.
    pub targets: Vec<Target>,
}

impl Report {
    pub(crate) fn new(options: &Options, rows: Vec<(Scenario, Row)>) -> Self {
        let targets = rows.iter().flat_map(|(scenario, row)| Target::of(*scenario, row)).collect();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            rounds: options.rounds,
            argument_bytes: options.argument_bytes,
            callers: options.callers,
            rows: rows.into_iter().map(|(_, row)| row).collect(),
            targets,
        }
    }
}

/// How far a ratio may fall below the usual one.
const TOLERANCE: f64 = 0.2;

impl Report {
    /// What of the run is much slower than usual, a sentence for each scenario.
    #[must_use]
    pub fn setbacks(&self) -> Vec<String> {
        let of = |row: &Row| {
            let scenario = Scenario::ALL.into_iter().find(|scenario| scenario.as_str() == row.scenario)?;
            let least = scenario.usual_ratio() * (1.0 - TOLERANCE);
            let name = row.scenario;
            let ratio = row.ratio;
            // What could not be measured is a setback too.
            let is_enough = ratio >= least;
            (!is_enough)
                .then(|| format!("{name} reaches {ratio:.2} of its ceiling, and {least:.2} is the least"))
        };
        self.rows.iter().filter_map(of).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, rounds, argument_bytes, callers, .. } = self;
        writeln!(
            f,
            "{cores} cores, medians of {rounds}, arguments of {argument_bytes} bytes, {callers} callers in `closed`"
        )?;
        writeln!(f)?;
        writeln!(
            f,
            "{:<18} {:>9} {:>6} {:>6} {:>6} {:>8} {:>8}",
            "SCENARIO", "JOBS/S", "SERVER", "HOST", "CLIENT", "P50 MS", "P99 MS"
        )?;
        for row in &self.rows {
            write_line(f, row.scenario, &row.wasmhost)?;
            write_line(f, "  its ceiling", &row.ceiling)?;
            writeln!(f, "  ratio {:>20.2}", row.ratio)?;
        }
        writeln!(f, "\nSERVER, HOST and CLIENT are microseconds of processor time for each job.")?;
        if !self.targets.is_empty() {
            let (must, goal, measured) = ("MUST", "GOAL", "MEASURED");
            writeln!(f, "\n{:<36} {must:>9} {goal:>9} {measured:>9}", "TARGET")?;
        }
        let targets: Vec<_> = self.targets.iter().map(Target::to_string).collect();
        f.write_str(&targets.join("\n"))
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, name: &str, figures: &Figures) -> fmt::Result {
    let Figures { jobs_per_second, server_us, host_us, client_us, p50_ms, p99_ms, .. } = figures;
    let ms = |ms: &Option<f64>| ms.map_or_else(String::new, |ms| format!("{ms:.2}"));
    let (p50, p99) = (ms(p50_ms), ms(p99_ms));
    writeln!(
        f,
        "{name:<18} {jobs_per_second:>9.0} {server_us:>6.0} {host_us:>6.0} {client_us:>6.0} {p50:>8} {p99:>8}"
    )
}
