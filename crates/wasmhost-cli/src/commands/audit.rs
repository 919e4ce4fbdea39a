//! `wasmhost audit`: records what can be seen of a run, and checks whether it kept what the protocol promises.

mod check;
mod record;

use clap::Subcommand;

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::local::runtime;

/// The subcommands of `audit`.
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
        // Without the usual handling of Ctrl-C, which would throw the recording away.
        Audit::Record(args) => runtime::current_thread()?.block_on(record::run(args, global)),
        Audit::Check(args) => check::run(&args, global),
    }
}
