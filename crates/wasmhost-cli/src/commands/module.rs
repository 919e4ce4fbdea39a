//! `wasmhost module`: the registry.

mod list;
pub(crate) mod push;
mod remove;
mod rollback;
mod show;

use clap::Subcommand;
use wasmhost_protocol::manifest::Manifest;
use wasmhost_protocol::text::escape;

use crate::cli::Global;
use crate::error::CliError;
use crate::error::Exit;

/// What to do with modules.
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

/// The signatures of a module's tasks, one a line, and what is no task.
pub(crate) fn tasks(manifest: &Manifest) -> String {
    let mut text = String::new();
    for task in &manifest.tasks {
        text.push_str(&format!("  {}\n", escape(&task.signature)));
    }
    for refused in &manifest.refused {
        text.push_str(&format!("  not a task: {}: {}\n", escape(&refused.name), escape(&refused.reason)));
    }
    if text.is_empty() { "  none\n".to_owned() } else { text }
}
