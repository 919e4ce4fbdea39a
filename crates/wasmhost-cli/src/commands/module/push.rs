//! `wasmhost module push`: checks a component, compiles it once, and makes it the current version of a module.

use std::path::{Path, PathBuf};

use wasmhost_client::Client;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::manifest::ModuleEntry;
use wasmhost_protocol::policy::Policy;
use wasmhost_sandbox::Sandbox;

use super::list::Named;
use super::tasks;
use crate::cli::Global;
use crate::config::toml_file;
use crate::error::CliError;
use crate::error::Exit;
use crate::local::component;
use crate::local::input;
use crate::output;

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

/// Pushes, and prints the tasks that were found.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let name = match args.name {
        Some(name) => name,
        None => name_of(&args.file)?,
    };
    let policy = args.policy.as_deref().map(toml_file::policy).transpose()?.unwrap_or_default();
    let sandbox = component::sandbox(component::child_compiler()?)?;
    // The file first: what is wrong with it can be said without a server.
    let component = component::load(&sandbox, &args.file).await?;
    let client = global.client().await?;
    let entry = push(&client, &name, component, policy).await?;
    if global.json {
        output::json(&Named { name: &name, entry: &entry })?;
        return Ok(Exit::Ok);
    }
    output::line(format_args!("{name} {}", entry.digest))?;
    output::text(tasks(&entry.manifest))?;
    Ok(Exit::Ok)
}

/// Pushes a file as this module, with the default policy.
pub(crate) async fn push_file(
    client: &Client,
    sandbox: &Sandbox,
    (name, file): (&ModuleName, &Path),
) -> Result<ModuleEntry, CliError> {
    let component = component::load(sandbox, file).await?;
    push(client, name, component, Policy::default()).await
}

async fn push(
    client: &Client,
    name: &ModuleName,
    component: component::Component,
    policy: Policy,
) -> Result<ModuleEntry, CliError> {
    Ok(client.modules().push(name, component.wasm, policy, component.manifest).await?)
}

fn name_of(file: &Path) -> Result<ModuleName, CliError> {
    component::module_name(file).map_err(|error| {
        CliError::usage(format_args!("{}: {error}: name the module with --name", input::shown(file)))
    })
}
