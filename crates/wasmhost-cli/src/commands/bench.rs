//! `wasmhost bench`: measures jobs on this machine, and beside them what the server could do if nobody ran any.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use wasmhost_bench::{BenchError, Options, Scenario};

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::local::nats_server;
use crate::local::sandbox::this_program;
use crate::output;

/// Flags of `bench`.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Measure jobs on this machine, and beside them what the server could do with their messages if nobody ran any\n\n\
                  A private nats-server and a host are started for each measurement, in turn with one without a host: only the \
                  quotient of the two can be compared with that of another day. Let nothing else run meanwhile.",
    after_help = "Example: wasmhost bench drain --rounds 3"
)]
pub(crate) struct Args {
    /// What is measured; without a name, everything
    #[arg(value_name = "SCENARIO", value_parser = scenarios())]
    scenarios: Vec<Scenario>,
    /// How often each scenario is measured; the medians are printed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=100))]
    rounds: u8,
    /// The jobs of a drain; the other scenarios run a part of them
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(Options::MIN_JOBS..=10_000_000))]
    jobs: u64,
    /// How many callers wait at once in the scenario `closed`
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    callers: u16,
    /// The size of a job's arguments, in bytes of JSON
    #[arg(long, value_name = "BYTES", default_value_t = 200, value_parser = clap::value_parser!(u32).range(11..=65_536))]
    arguments: u32,
    /// End with 1 if a scenario reaches much less of its ceiling than is usual
    #[arg(long)]
    gate: bool,
    /// The nats-server that is measured
    #[arg(long, value_name = "FILE", env = "WASMHOST_NATS_SERVER")]
    nats_server: Option<PathBuf>,
}

/// Prints what was measured, as a table or as JSON.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let gate = args.gate;
    let options = options(args)?;
    let progress = |what: &str| output::note(format_args!("measuring {what}"));
    let report = wasmhost_bench::run(&options, progress).await?;
    if global.json {
        output::json(&report)?;
    } else {
        output::text(format_args!("{report}\n"))?;
    }
    let setbacks = if gate { report.setbacks() } else { Vec::new() };
    setbacks.iter().for_each(output::note);
    Ok(if setbacks.is_empty() { Exit::Ok } else { Exit::Failed })
}

fn options(args: Args) -> Result<Options, CliError> {
    let found = nats_server::find(args.nats_server, Path::new("."))?;
    let mut options = Options::new(this_program()?, found.path);
    if !args.scenarios.is_empty() {
        options.scenarios = args.scenarios;
    }
    options.rounds = args.rounds.into();
    options.jobs = args.jobs;
    options.callers = args.callers.into();
    options.argument_bytes = args.arguments as usize;
    Ok(options)
}

fn scenarios() -> impl TypedValueParser<Value = Scenario> {
    PossibleValuesParser::new(Scenario::ALL.map(Scenario::as_str)).map(|name| {
        let named = Scenario::ALL.into_iter().find(|scenario| scenario.as_str() == name);
        named.expect("only names of scenarios are possible")
    })
}

impl From<BenchError> for CliError {
    fn from(error: BenchError) -> Self {
        let exit = match &error {
            BenchError::Server(_) | BenchError::Deployment { .. } => Exit::Unreachable,
            BenchError::Job(_) => Exit::Failed,
            _ => Exit::Config,
        };
        Self::of(exit, &error)
    }
}
