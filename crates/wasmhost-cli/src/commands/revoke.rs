//! `wasmhost revoke`: asks that a job not run, or that it stop.

use std::time::Duration;

use wasmhost_client::RevokeOptions;
use wasmhost_protocol::bounds::GRACE;
use wasmhost_protocol::ids::JobKey;

use crate::config::flag_values::duration;
use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;
use crate::output::render;

/// Flags of `revoke`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Waits until the job has ended. A job that ended otherwise before is left as it is, and the exit code is 1.

Example: wasmhost revoke progress.run.my-1 --reason 'user left' --grace 5s")]
pub(crate) struct Args {
    /// The job's key, `module.function.id`
    key: JobKey,
    /// Why, for people
    #[arg(long, default_value = "revoked from the command line")]
    reason: String,
    /// How long a running task may take to stop by itself, at most 30d
    #[arg(long, value_name = "DURATION", value_parser = duration(GRACE))]
    grace: Option<Duration>,
    /// Leave a job alone that runs
    #[arg(long)]
    if_queued: bool,
}

/// Revokes the job, and prints its record after that.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let mut options = RevokeOptions::new(args.reason).with_grace(args.grace.unwrap_or_default());
    options.if_queued = args.if_queued;
    let record = client.job(&args.key).revoke_with(options).await?;
    if global.json {
        output::json(&record)?
    } else {
        output::line(render::transition(&record))?
    }
    Ok(Exit::Ok)
}
