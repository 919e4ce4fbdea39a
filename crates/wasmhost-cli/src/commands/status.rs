//! `wasmhost status`: where a job stands now.

use wasmhost_protocol::JobKey;

use crate::cli::Global;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::{out, show};

/// Flags of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: wasmhost status hello.run.my-1")]
pub(crate) struct Args {
    /// The job's key, `module.function.id`
    key: JobKey,
}

/// Prints the record.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, Complaint> {
    let client = global.client().await?;
    let record = client.job(&args.key).record().await?;
    if global.json {
        out::json(&record)?
    } else {
        out::text(show::status(&record))?
    }
    Ok(Exit::Ok)
}
