//! A run: every scenario in turn with its ceiling, several times.

use std::path::PathBuf;

use crate::ceiling;
use crate::error::BenchError;
use crate::report::{Report, Row};
use crate::scenario::{self, Measured, Scenario};

/// What is measured, and with which programs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The program `wasmhost`.
    pub wasmhost: PathBuf,
    /// The program `nats-server`.
    pub nats_server: PathBuf,
    /// What is measured, in this order.
    pub scenarios: Vec<Scenario>,
    /// How often each scenario and each ceiling is measured. The medians are reported.
    pub rounds: usize,
    /// The jobs of a drain; the other scenarios run a part of them.
    pub jobs: u64,
    /// How many callers of the closed scenario wait at once.
    pub callers: usize,
    /// The size of a job's arguments, in bytes of JSON.
    pub argument_bytes: usize,
}

impl Options {
    /// The fewest jobs that a run can measure.
    pub const MIN_JOBS: u64 = 1_000;

    /// The standard set, with these programs.
    #[must_use]
    pub fn new(wasmhost: PathBuf, nats_server: PathBuf) -> Self {
        Self {
            wasmhost,
            nats_server,
            scenarios: Scenario::ALL.to_vec(),
            rounds: 5,
            jobs: 20_000,
            callers: 64,
            argument_bytes: 200,
        }
    }
}

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
        rows.push(Row::new(*scenario, &jobs, &ceilings));
    }
    Ok(Report::new(options, rows))
}
