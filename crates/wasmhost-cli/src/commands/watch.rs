//! `wasmhost watch`: follows a job until it has ended.

use wasmhost_protocol::ids::JobKey;
use wasmhost_protocol::record::{End, JobState, Record};
use wasmhost_protocol::text::escape;

use crate::cli::Global;
use crate::config::connection;
use crate::error::CliError;
use crate::error::Exit;
use crate::output;
use crate::output::progress::next_record;
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

/// Prints a line a transition, the first one where the job stands now.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let job = client.job(&args.key);
    let mut notes = job.notes().await.map_err(|error| connection::refused(&error))?;
    let mut states = job.watch().await?;
    let (mut exit, mut last) = (Exit::Ok, None);
    let tell = |note: &str| output::note(escape(note));
    while let Some(record) = next_record(&mut states, &mut notes, tell).await {
        if global.json {
            output::json(&record)?
        } else {
            output::line(render::transition(&record))?
        }
        exit = render::exit(&record);
        last = Some(record);
    }
    if !global.json {
        note_last_words(last.as_ref());
    }
    match states.failure() {
        Some(error) => Err(error.into()),
        None => Ok(exit),
    }
}

/// What is known of a failure beyond its line.
fn note_last_words(record: Option<&Record>) {
    if let Some(JobState::Ended { end: End::Failure(error), .. }) = record.map(|record| &record.stage)
        && let Some(words) = render::beyond_message(error)
    {
        output::note(words);
    }
}
