//! `wasmhost watch`: follows a job until it has ended.

use wasmhost_protocol::JobKey;

use crate::cli::Global;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::{out, show};

/// Flags of `watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Goes on when the server restarts. Ends with 1 where the job failed or was revoked.

Example: wasmhost watch progress.run.my-1")]
pub(crate) struct Args {
    /// The job's key, `module.function.id`
    key: JobKey,
}

/// Prints a line a transition, the first one where the job stands now.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, Complaint> {
    let client = global.client().await?;
    let mut states = client.job(&args.key).watch().await?;
    let mut exit = Exit::Ok;
    while let Some(record) = states.next().await {
        if global.json {
            out::json(&record)?
        } else {
            out::line(show::transition(&record))?
        }
        exit = show::exit(&record);
    }
    match states.failure() {
        Some(error) => Err(error.into()),
        None => Ok(exit),
    }
}
