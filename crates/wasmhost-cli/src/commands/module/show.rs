//! `wasmhost module show`: shows what a module exports, imports and may use, and its versions.

use wasmhost_client::Version;
use wasmhost_protocol::duration::format_duration;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::policy::Policy;
use wasmhost_protocol::text::{escape, format_size_rounded};

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;
use crate::output::module::{NamedEntry, tasks};
use crate::output::table;

/// Flags of `module show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: wasmhost module show thumbs")]
pub(crate) struct Args {
    /// The module
    name: ModuleName,
}

/// Prints the current version, and a line for each earlier one.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let entry = client.modules().show(&args.name).await?;
    if global.json {
        output::json(&NamedEntry { name: &args.name, entry: &entry })?;
        return Ok(Exit::Ok);
    }
    let history = client.modules().history(&args.name).await?;
    output::text(description(&args.name, &entry))?;
    output::text(versions(&history))?;
    Ok(Exit::Ok)
}

fn description(name: &ModuleName, entry: &ModuleEntry) -> String {
    let imports = entry.manifest.imports.iter().map(|import| format!("  {}\n", escape(import)));
    let facts = table::pairs(&[
        ("digest", entry.digest.to_string()),
        ("size", format_size_rounded(entry.bytes)),
        ("pushed", entry.pushed_at.to_string()),
    ]);
    format!(
        "{name}\n{facts}tasks\n{}imports\n{}policy\n{}",
        tasks(&entry.manifest),
        imports.collect::<String>(),
        policy(&entry.policy)
    )
}

fn policy(policy: &Policy) -> String {
    let limits = &policy.limits;
    let attempts =
        policy.retry.max_attempts.map_or("as the task asks".to_owned(), |attempts| attempts.to_string());
    let keys: Vec<_> = policy.config.keys().map(|key| escape(key)).collect();
    table::pairs(&[
        ("memory", format_size_rounded(limits.memory_bytes)),
        ("CPU", format_duration(limits.cpu)),
        ("timeout", format_duration(limits.timeout)),
        ("attempts", attempts),
        ("result kept", format_duration(policy.result_ttl)),
        ("config", if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }),
    ])
}

/// The versions of a module, newest first.
fn versions(history: &[Version]) -> String {
    let rows = history.iter().rev().map(|version| match &version.entry {
        Some(entry) => {
            vec![format!("  {}", version.revision), entry.digest.to_string(), entry.pushed_at.to_string()]
        }
        None => vec![format!("  {}", version.revision), "removed".to_owned()],
    });
    let rows: Vec<_> = rows.collect();
    format!("versions\n{}", table::columns(&["  REVISION", "DIGEST", "PUSHED"], &rows))
}
