//! `wasmhost module remove`: a module leaves the registry.

use wasmhost_protocol::ids::ModuleName;

use crate::cli::Global;
use crate::error::CliError;
use crate::error::Exit;
use crate::output;

/// Flags of `module remove`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: wasmhost module remove thumbs")]
pub(crate) struct Args {
    /// The module
    name: ModuleName,
}

/// Removes it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    client.modules().remove(&args.name).await?;
    output::note(format_args!("module {} is removed", args.name));
    Ok(Exit::Ok)
}
