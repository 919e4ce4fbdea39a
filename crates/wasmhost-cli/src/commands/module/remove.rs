//! `wasmhost module remove`: removes a module from the registry.

use wasmhost_protocol::ids::ModuleName;

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;

/// Flags of `module remove`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: wasmhost module remove thumbs")]
pub(crate) struct Args {
    /// The module
    name: ModuleName,
}

/// Removes the module.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    client.modules().remove(&args.name).await?;
    output::note(format_args!("module {} is removed", args.name));
    Ok(Exit::Ok)
}
