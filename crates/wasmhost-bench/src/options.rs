//! What is measured, and with which programs.

use std::path::PathBuf;

use crate::scenario_kind::Scenario;

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

    /// The jobs of one measurement. Callers that wait need fewer for the same certainty, and a single one fewer still.
    pub(crate) fn jobs_of(&self, scenario: Scenario) -> u64 {
        match scenario {
            Scenario::Drain => self.jobs,
            Scenario::Closed => self.jobs / 2,
            Scenario::Latency => self.jobs / 20,
            Scenario::Submit => self.jobs,
            Scenario::SubmitOne => self.jobs / 4,
        }
    }

    /// How many callers wait at once.
    pub(crate) fn callers_of(&self, scenario: Scenario) -> usize {
        if scenario == Scenario::Latency { 1 } else { self.callers }
    }

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
