//! `wasmhost status`: shows the record of a job as it is now.

use wasmhost_protocol::ids::JobKey;

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;
use crate::output::render;

/// Flags of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: wasmhost status hello.run.my-1")]
pub(crate) struct Args {
    /// The job's key, `module.function.id`
    key: JobKey,
}

/// Prints the record.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let record = client.job(&args.key).record().await?;
    if global.json {
        output::json(&record)?
    } else {
        output::text(render::status(&record))?
    }
    Ok(Exit::Ok)
}
