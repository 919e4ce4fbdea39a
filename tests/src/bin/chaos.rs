//! A storm from the command line: `chaos --jobs 2000 --minutes 2 --seed 7 --hosts 4`. Exit codes: 0 every promise was
//! kept, 1 one was broken, 75 something was missed and nothing is proven, 2 usage.

use std::{env, process::ExitCode, time::Duration};

use anyhow::{Context, bail};
use end_to_end::{Plan, Scale, StormOptions, storm};

const USAGE: &str =
    "chaos [--jobs NUMBER] [--minutes NUMBER | --seconds NUMBER] [--seed NUMBER] [--hosts NUMBER]";

/// As `EX_TEMPFAIL`: try again.
const NOT_PROVEN: u8 = 75;

const WRONG_USAGE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let plan = match plan(env::args().skip(1)) {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("error: {error:#}\n\n{USAGE}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let Scale { jobs, time, hosts } = plan.scale;
    say(format_args!("seed {}: {jobs} jobs on {hosts} hosts in {} s", plan.seed, time.as_secs()));
    match storm(&plan, &StormOptions::default()).await {
        Ok(report) => {
            say(&report);
            match (report.is_broken(), report.is_good()) {
                (true, _) => ExitCode::FAILURE,
                (false, true) => ExitCode::SUCCESS,
                (false, false) => ExitCode::from(NOT_PROVEN),
            }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn plan(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Plan> {
    let mut scale = Scale { jobs: 2_000, time: Duration::from_secs(120), hosts: 4 };
    let mut seed = None;
    while let Some(flag) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{flag} needs a number"))?;
        let number: u64 = value.parse().with_context(|| format!("{flag}: {value:?} is not a number"))?;
        match flag.as_str() {
            "--jobs" => scale.jobs = usize::try_from(number)?,
            "--seconds" => scale.time = Duration::from_secs(number),
            "--minutes" => scale.time = Duration::from_secs(number * 60),
            "--hosts" => scale.hosts = usize::try_from(number)?.max(1),
            "--seed" => seed = Some(number),
            _ => bail!("there is no flag {flag}"),
        }
    }
    Ok(Plan::new(seed.unwrap_or_else(|| fastrand::u64(0..1_000_000)), scale))
}

#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn say(line: impl std::fmt::Display) {
    println!("{line}");
}
