//! `wasmhost module push`: checks a component, compiles it once, and makes it the current version of a module.

use std::path::{Path, PathBuf};

use wasmhost_protocol::ids::ModuleName;

use crate::config::policy_file;
use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::local::component::{Component, module_name};
use crate::local::{input, sandbox};
use crate::output;
use crate::output::module::{NamedEntry, tasks};

/// Flags of `module push`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A policy is a TOML file; everything in it may be left out:

  result_ttl = \"24h\"
  [limits]
  memory_bytes = 134217728
  timeout = \"5m\"
  [retry]
  max_attempts = 3
  [config]
  greeting = \"Hello\"

Example: wasmhost module push target/wasm32-wasip2/release/thumbs.wasm --policy thumbs.toml")]
pub(crate) struct Args {
    /// The component's file
    file: PathBuf,
    /// The module's name [default: the file's, with `-` for what is no letter or digit]
    #[arg(long)]
    name: Option<ModuleName>,
    /// What its tasks may use, and how their jobs are retried
    #[arg(long, value_name = "FILE.toml")]
    policy: Option<PathBuf>,
}

/// Pushes the component, and prints its tasks.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let name = match args.name {
        Some(name) => name,
        None => name_of(&args.file)?,
    };
    let policy = args.policy.as_deref().map(policy_file::read).transpose()?.unwrap_or_default();
    let sandbox = sandbox::for_one_component(sandbox::child_compiler()?)?;
    // The file is loaded before the client connects, since what is wrong with it can be said without a server.
    let component = Component::load(&sandbox, &args.file).await?;
    let entry = component.push(&global.client().await?, &name, policy).await?;
    if global.json {
        output::json(&NamedEntry { name: &name, entry: &entry })?;
        return Ok(Exit::Ok);
    }
    output::line(format_args!("{name} {}", entry.digest))?;
    output::text(tasks(&entry.manifest))?;
    Ok(Exit::Ok)
}

fn name_of(file: &Path) -> Result<ModuleName, CliError> {
    module_name(file).map_err(|error| {
        CliError::usage(format_args!("{}: {error}: name the module with --name", input::shown(file)))
    })
}
