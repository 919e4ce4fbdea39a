//! What a release has to reach, and what was measured. Rates are compared with the ceiling of the same run wherever they can be,
//! since a machine may be shared.

use std::fmt;

use serde::Serialize;

use crate::row::Row;
use crate::scenario_kind::Scenario;

/// What a release has to reach in one respect.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Target {
    /// What is compared.
    pub what: &'static str,
    /// What every release reaches.
    pub must: Bound,
    /// What is striven for.
    pub goal: Bound,
    /// What was measured.
    pub measured: f64,
    /// Whether that is enough.
    pub verdict: Verdict,
}

/// A bound on what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Bound {
    /// It is at least this.
    AtLeast(f64),
    /// It is at most this.
    AtMost(f64),
}

/// How what was measured compares with a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It is not enough.
    Missed,
    /// It is enough.
    Met,
    /// It is what is striven for.
    Goal,
}

impl Target {
    /// The targets that a scenario is compared with.
    pub(crate) fn of(scenario: Scenario, row: &Row) -> Vec<Self> {
        let job_us = row.wasmhost.server_us + row.wasmhost.host_us;
        match scenario {
            Scenario::Drain => vec![
                Self::new("drain, part of its ceiling", Bound::AtLeast(0.6), Bound::AtLeast(0.85), row.ratio),
                Self::new(
                    "drain, µs of a job, server and host",
                    Bound::AtMost(100.0),
                    Bound::AtMost(75.0),
                    job_us,
                ),
            ],
            Scenario::Latency => {
                let median_ms = row.wasmhost.p50_ms.unwrap_or(f64::NAN);
                let times = median_ms / row.ceiling.p50_ms.unwrap_or(f64::NAN);
                vec![Self::new("latency, times its ceiling", Bound::AtMost(2.5), Bound::AtMost(1.6), times)]
            }
            Scenario::Submit => vec![Self::rate("submit, jobs/s", 60_000.0, row)],
            Scenario::SubmitOne => vec![Self::rate("submit-one, jobs/s", 5_000.0, row)],
            Scenario::Closed => Vec::new(),
        }
    }

    fn rate(what: &'static str, wanted: f64, row: &Row) -> Self {
        Self::new(what, Bound::AtLeast(wanted), Bound::AtLeast(wanted), row.wasmhost.jobs_per_second)
    }

    fn new(what: &'static str, must: Bound, goal: Bound, measured: f64) -> Self {
        let verdict = match (must.holds(measured), goal.holds(measured)) {
            (false, _) => Verdict::Missed,
            (true, false) => Verdict::Met,
            (true, true) => Verdict::Goal,
        };
        Self { what, must, goal, measured, verdict }
    }
}

impl Bound {
    fn holds(self, measured: f64) -> bool {
        match self {
            Self::AtLeast(bound) => measured >= bound,
            Self::AtMost(bound) => measured <= bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, bound) = match self {
            Self::AtLeast(bound) => ("≥", bound),
            Self::AtMost(bound) => ("≤", bound),
        };
        // The columns of a table are padded, which `write!` would not do.
        f.pad(&format!("{sign} {}", number(*bound)))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Missed => "missed",
            Self::Met => "met",
            Self::Goal => "goal",
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, must, goal, measured, verdict } = self;
        write!(f, "{what:<36} {must:>9} {goal:>9} {:>9} {verdict:>7}", number(*measured))
    }
}

/// A quotient with two digits behind the point, anything larger without.
fn number(value: f64) -> String {
    if value.abs() < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_missed_met_or_what_is_striven_for() {
        let verdict = |measured| {
            let at_least = Target::new("a", Bound::AtLeast(0.6), Bound::AtLeast(0.85), measured);
            let at_most = Target::new("b", Bound::AtMost(-0.6), Bound::AtMost(-0.85), -measured);
            assert_eq!(at_least.verdict, at_most.verdict);
            at_least.verdict
        };
        assert_eq!(
            [0.59, 0.6, 0.84, 0.85].map(verdict),
            [Verdict::Missed, Verdict::Met, Verdict::Met, Verdict::Goal]
        );
        assert_eq!(verdict(f64::NAN), Verdict::Missed, "what was not measured is not met");
    }

    #[test]
    fn a_target_is_one_line_of_a_table() {
        let target =
            Target::new("submit, jobs/s", Bound::AtLeast(60_000.0), Bound::AtLeast(60_000.0), 21_478.4);
        assert_eq!(
            target.to_string(),
            "submit, jobs/s                         ≥ 60000   ≥ 60000     21478  missed"
        );
    }
}
