//! `wasmhost watch`: follows a job until it has ended.

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::Record;
use wasmhost_protocol::text::escape;

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;
use crate::output::follower::next_record;
use crate::output::render;

/// Flags of `watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Goes on when the server restarts. Ends with 1 where the job failed or was revoked.

Example: wasmhost watch progress.run.my-1")]
pub(crate) struct Args {
    /// The job's key, `module.function.id`
    key: JobKey,
}

/// Prints a line for each transition, and before them one for the job as it is now.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let job = client.job(&args.key);
    let mut notes = job.notes().await?;
    let mut states = job.watch().await?;
    let mut last = None;
    let tell = |note: &str| output::note(escape(note));
    while let Some(record) = next_record(&mut states, &mut notes, tell).await {
        if global.json {
            output::json(&record)?
        } else {
            output::line(render::transition(&record))?
        }
        last = Some(record);
    }
    // A line is for one transition, and has no room for all that a guest said before it failed.
    if !global.json {
        note_details(last.as_ref());
    }
    match states.failure() {
        Some(error) => Err(error.into()),
        None => Ok(last.as_ref().map_or(Exit::Ok, Exit::of_record)),
    }
}

/// Prints what is known of a failure beyond its line.
fn note_details(record: Option<&Record>) {
    if let Some(error) = record.and_then(Record::failure)
        && let Some(details) = render::beyond_message(error)
    {
        output::note(details);
    }
}
