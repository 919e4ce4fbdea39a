//! `wasmhost module rollback`: makes an earlier version current again.

use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;
use crate::output::module::NamedEntry;

/// Flags of `module rollback`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: wasmhost module rollback thumbs")]
pub(crate) struct Args {
    /// The module
    name: ModuleName,
    /// The version [default: the one before the current]
    #[arg(long, value_name = "DIGEST")]
    to: Option<Digest>,
}

/// Rolls back, and prints the digest that is current now.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let entry = client.modules().rollback(&args.name, args.to).await?;
    if global.json {
        output::json(&NamedEntry { name: &args.name, entry: &entry })?;
    } else {
        output::line(format_args!("{} {}", args.name, entry.digest))?;
    }
    Ok(Exit::Ok)
}
