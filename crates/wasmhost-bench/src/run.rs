//! A run: every scenario in turn with its ceiling, several times.

use crate::ceiling;
use crate::error::BenchError;
use crate::measured::Measured;
use crate::options::Options;
use crate::report::Report;
use crate::row::Row;
use crate::scenario;

/// Measures everything. `progress` is told what is about to be measured.
///
/// # Errors
///
/// A program cannot be run, or a job does not end as it has to. What was measured before is then lost.
pub async fn run(options: &Options, mut progress: impl FnMut(&str)) -> Result<Report, BenchError> {
    let mut rows = Vec::new();
    for scenario in &options.scenarios {
        let mut jobs: Vec<Measured> = Vec::new();
        let mut ceilings: Vec<Measured> = Vec::new();
        for round in 1..=options.rounds {
            progress(&format!("{}, round {round} of {}", scenario.as_str(), options.rounds));
            jobs.push(scenario::measure(*scenario, options).await?);
            ceilings.push(ceiling::measure(*scenario, options).await?);
        }
        rows.push((*scenario, Row::new(*scenario, &jobs, &ceilings)));
    }
    Ok(Report::new(options, rows))
}
