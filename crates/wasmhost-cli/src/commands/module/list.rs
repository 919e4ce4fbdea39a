//! `wasmhost module list`: the current version of every module.

use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;

use crate::cli::Global;
use crate::config::flag_values::format_bytes;
use crate::error::CliError;
use crate::error::Exit;
use crate::output;
use crate::output::table;

/// Flags of `module list`: none of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: wasmhost module list")]
pub(crate) struct Args {}

/// Prints one line a module.
pub(crate) async fn run(_: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let modules = client.modules().list().await?;
    if global.json {
        for (name, entry) in &modules {
            output::json(&Named { name, entry })?;
        }
        return Ok(Exit::Ok);
    }
    if modules.is_empty() {
        output::note("no modules: push one with `wasmhost module push FILE`");
        return Ok(Exit::Ok);
    }
    let rows: Vec<_> = modules.iter().map(|(name, entry)| row(name, entry)).collect();
    output::text(table::columns(&["MODULE", "DIGEST", "SIZE", "PUSHED", "TASKS"], &rows))?;
    Ok(Exit::Ok)
}

/// A version with its module's name, as JSON.
#[derive(serde::Serialize)]
pub(super) struct Named<'a> {
    /// The module.
    pub(super) name: &'a ModuleName,
    /// The version.
    pub(super) entry: &'a ModuleEntry,
}

fn row(name: &ModuleName, entry: &ModuleEntry) -> Vec<String> {
    let tasks: Vec<_> = entry.manifest.tasks.iter().map(|task| task.function.to_string()).collect();
    vec![
        name.to_string(),
        short(&entry.digest.to_string()),
        format_bytes(entry.bytes),
        entry.pushed_at.to_string(),
        tasks.join(","),
    ]
}

/// Enough of a digest for people.
fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}
