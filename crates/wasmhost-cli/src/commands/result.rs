//! `wasmhost result`: prints what a job returned.

use std::time::Duration;

use tokio::time::timeout;
use wasmhost_protocol::duration::parse_duration;
use wasmhost_protocol::ids::JobKey;

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;

/// Flags of `result`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Waits for the job to end. Ends with 1 where it failed or was revoked.

Example: wasmhost result hello.run.my-1 --timeout 10s")]
pub(crate) struct Args {
    /// The job's key, `module.function.id`
    key: JobKey,
    /// Wait no longer than this; 75 when the job has not ended by then
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,
}

/// Prints the result as JSON.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let job = client.job(&args.key);
    let result = match args.timeout {
        None => job.raw_result().await?,
        // Only the waiting ends in time, and the job goes on.
        Some(limit) => timeout(limit, job.raw_result()).await.map_err(|_| not_ended(&args.key))??,
    };
    output::line(output::safe_json(result.as_str()))?;
    Ok(Exit::Ok)
}

fn not_ended(key: &JobKey) -> CliError {
    let text = format!("job {key} has not ended yet: wait longer, or `wasmhost watch` it");
    CliError::new(Exit::TryLater, text)
}
