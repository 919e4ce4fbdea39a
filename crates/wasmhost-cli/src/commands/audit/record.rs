//! `wasmhost audit record`: writes what can be seen of a run to a file.

use std::future;
use std::path::PathBuf;
use std::time::Duration;

use wasmhost_audit::{Capture, Entry, RecordError, Recorder};
use wasmhost_protocol::duration::parse_duration;

use super::check::unusable;
use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::local::runtime::stop_requested;
use crate::output;

/// Flags of `audit record`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Start it before the first job. What a guest logs with a field `effect` is recorded too; what clients were answered and
which faults there were is added by whoever knows, a JSON object a line, in this file or another one.

Example: wasmhost audit record --out run.jsonl --idle 30s")]
pub(crate) struct Args {
    /// The file to write, a JSON object a line; what is there is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// End when nothing has happened for so long and the job stream is empty [default: end at Ctrl-C]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    idle: Option<Duration>,
}

/// Records until the end of the run or Ctrl-C.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    // A file that cannot be written is reported before the run, not after it.
    Capture::default().write(&args.out).map_err(|error| unusable(&error))?;
    let recorder = Recorder::open(&global.connection.connect_config()?).await.map_err(not_recorded)?;
    output::note("recording; Ctrl-C ends it");
    // Either arm ends the recording, and dropping the other one loses nothing of it.
    tokio::select! {
        () = idle(&recorder, args.idle) => {}
        stop = stop_requested() => stop?,
    }
    // What is left on the server belongs to the recording, and is read at its end.
    let capture = recorder.finish().await;
    capture.write(&args.out).map_err(|error| unusable(&error))?;
    if !capture.entries.iter().any(|entry| matches!(entry, Entry::Span(_))) {
        output::note("the server did not say what it has at the end: the recording will prove nothing");
    }
    Ok(Exit::Ok)
}

async fn idle(recorder: &Recorder, limit: Option<Duration>) {
    match limit {
        Some(limit) => recorder.idle(limit).await,
        None => future::pending().await,
    }
}

fn not_recorded(error: RecordError) -> CliError {
    match error {
        RecordError::Connect(error) => error.into(),
        error => CliError::of(Exit::Unreachable, &error),
    }
}
