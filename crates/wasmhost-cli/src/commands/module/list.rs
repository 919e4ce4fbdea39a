//! `wasmhost module list`: lists the modules with their current versions.

use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::text::format_size_rounded;

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;
use crate::output::module::NamedEntry;
use crate::output::table;

/// Flags of `module list`: none of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: wasmhost module list")]
pub(crate) struct Args {}

/// Prints a line for each module.
pub(crate) async fn run(_: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let modules = client.modules().list().await?;
    if global.json {
        for (name, entry) in &modules {
            output::json(&NamedEntry { name, entry })?;
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

fn row(name: &ModuleName, entry: &ModuleEntry) -> Vec<String> {
    let tasks: Vec<_> = entry.manifest.tasks.iter().map(|task| task.function.to_string()).collect();
    vec![
        name.to_string(),
        short(&entry.digest.to_string()),
        format_size_rounded(entry.bytes),
        entry.pushed_at.to_string(),
        tasks.join(","),
    ]
}

/// As much of a digest as people need to tell versions apart.
fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}
