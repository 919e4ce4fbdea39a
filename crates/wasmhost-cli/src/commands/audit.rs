//! `wasmhost audit`: what is seen of a run, and whether it kept what the protocol promises.

mod check;
mod record;

use clap::Subcommand;

use crate::cli::Global;
use crate::error::CliError;
use crate::error::Exit;
use crate::local::runtime;

/// What to do for an audit.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Record every revision of every job, what guests log as effects, and what is left at the end
    Record(record::Args),
    /// Say which job broke which promise, or that too much was missed to say
    Check(check::Args),
}

/// Runs the subcommand.
pub(crate) fn run(audit: Audit, global: &Global) -> Result<Exit, CliError> {
    match audit {
        // Ctrl-C ends a recording, and does not throw it away.
        Audit::Record(args) => runtime::current_thread()?.block_on(record::run(args, global)),
        Audit::Check(args) => check::run(&args, global),
    }
}
