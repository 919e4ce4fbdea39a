//! `wasmhost module`: the modules in the registry.

mod list;
mod push;
mod remove;
mod rollback;
mod show;

use clap::Subcommand;

use crate::error::{CliError, Exit};
use crate::globals::Global;

/// The subcommands of `module`.
#[derive(Debug, Subcommand)]
pub(crate) enum Module {
    /// Check a component, compile it once and make it the current version of a module
    Push(push::Args),
    /// List the modules
    List(list::Args),
    /// Show a module's tasks, imports, policy and versions
    Show(show::Args),
    /// Make an earlier version current again
    Rollback(rollback::Args),
    /// Remove a module; jobs that wait for it will fail
    Remove(remove::Args),
}

/// Runs the subcommand.
pub(crate) async fn run(module: Module, global: &Global) -> Result<Exit, CliError> {
    match module {
        Module::Push(args) => push::run(args, global).await,
        Module::List(args) => list::run(args, global).await,
        Module::Show(args) => show::run(args, global).await,
        Module::Rollback(args) => rollback::run(args, global).await,
        Module::Remove(args) => remove::run(args, global).await,
    }
}
