//! The figures of one scenario and of its ceiling: medians over the rounds.

use std::time::Duration;

use serde::Serialize;

use crate::measured::Measured;
use crate::scenario_kind::Scenario;

/// One scenario and its ceiling.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The name of the scenario.
    pub scenario: &'static str,
    /// With jobs that run.
    pub wasmhost: Figures,
    /// With the same messages, and no job.
    pub ceiling: Figures,
    /// The rate with jobs, by that of the ceiling; the median of the quotients of each round.
    pub ratio: f64,
}

/// The medians of several rounds.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Figures {
    /// The jobs of one round.
    pub jobs: u64,
    /// Jobs a second.
    pub jobs_per_second: f64,
    /// The processor time of nats-server for each job, in microseconds.
    pub server_us: f64,
    /// That of the host; of a ceiling, 0.
    pub host_us: f64,
    /// That of the measuring process: the client, and of a ceiling also what stands in for the host.
    pub client_us: f64,
    /// The time from submission to result that half of the jobs needed at most, in milliseconds.
    pub p50_ms: Option<f64>,
    /// That 99 of 100 jobs needed at most.
    pub p99_ms: Option<f64>,
}

impl Row {
    pub(crate) fn new(scenario: Scenario, jobs: &[Measured], ceilings: &[Measured]) -> Self {
        let ratios = jobs.iter().zip(ceilings).map(|(job, ceiling)| rate(job) / rate(ceiling));
        Self {
            scenario: scenario.as_str(),
            ratio: median(ratios),
            wasmhost: Figures::new(jobs),
            ceiling: Figures::new(ceilings),
        }
    }
}

impl Figures {
    fn new(rounds: &[Measured]) -> Self {
        let per_job = |time: fn(&Measured) -> Duration| {
            median(rounds.iter().map(|round| time(round).as_secs_f64() * 1e6 / round.jobs.max(1) as f64))
        };
        Self {
            jobs: rounds.first().map_or(0, |round| round.jobs),
            jobs_per_second: median(rounds.iter().map(rate)),
            server_us: per_job(|round| round.used.server),
            host_us: per_job(|round| round.used.host),
            client_us: per_job(|round| round.used.own),
            p50_ms: percentile(rounds, 50),
            p99_ms: percentile(rounds, 99),
        }
    }
}

fn rate(round: &Measured) -> f64 {
    round.jobs as f64 / round.used.wall.as_secs_f64().max(f64::MIN_POSITIVE)
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[len / 2],
        len => f64::midpoint(values[len / 2 - 1], values[len / 2]),
    }
}

/// The median over the rounds of the latency that so many of 100 jobs needed at most.
fn percentile(rounds: &[Measured], percent: usize) -> Option<f64> {
    let of = |round: &Measured| {
        let mut latencies = round.latencies.clone();
        latencies.sort_unstable();
        let at = (latencies.len().checked_sub(1)? * percent).div_ceil(100);
        Some(latencies[at].as_secs_f64() * 1e3)
    };
    let found: Vec<_> = rounds.iter().filter_map(of).collect();
    (!found.is_empty()).then(|| median(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processes::Used;

    fn measured(ms: u64, latencies: &[u64]) -> Measured {
        let time = Duration::from_millis(ms);
        let used = Used { wall: time, server: time, host: time, own: time };
        let latencies = latencies.iter().map(|ms| Duration::from_millis(*ms)).collect();
        Measured { jobs: 100, used, latencies }
    }

    #[test]
    fn medians_are_those_of_the_rounds_and_a_ratio_is_taken_within_a_round() {
        let jobs = [measured(200, &[]), measured(1_000, &[]), measured(400, &[])];
        let ceilings = [measured(100, &[]), measured(100, &[]), measured(200, &[])];
        let row = Row::new(Scenario::Drain, &jobs, &ceilings);
        assert!((row.wasmhost.jobs_per_second - 250.0).abs() < 1e-9, "{row:?}");
        assert!((row.ratio - 0.5).abs() < 1e-9, "{row:?}");
        assert!((row.wasmhost.host_us - 4_000.0).abs() < 1e-6, "{row:?}");
        assert_eq!(row.wasmhost.p50_ms, None);
    }

    #[test]
    fn a_percentile_is_a_latency_that_was_measured() {
        let latencies: Vec<_> = (1..=100).collect();
        let rounds = [measured(1, &latencies)];
        assert_eq!((percentile(&rounds, 50), percentile(&rounds, 99)), (Some(51.0), Some(100.0)));
        assert_eq!(percentile(&[measured(1, &[7])], 99), Some(7.0));
    }
}
