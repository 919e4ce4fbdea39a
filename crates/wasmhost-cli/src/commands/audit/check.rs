//! `wasmhost audit check`: decides whether what was recorded kept every promise.

use std::io::ErrorKind;
use std::path::PathBuf;

use wasmhost_audit::{Capture, CaptureError, Verdict, check};

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;

/// Flags of `audit check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ends with 0 where everything was seen and every promise kept, 1 where one was broken, 75 where too much was missed to
say: such a run is not proven, and has to be repeated.

Example: wasmhost audit check run.jsonl submits.jsonl faults.jsonl")]
pub(crate) struct Args {
    /// The files of one run, in any order
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Prints the report.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Exit, CliError> {
    let capture = Capture::read(&args.files).map_err(|error| unusable(&error))?;
    let report = check(&capture);
    if global.json {
        output::json(&report)?;
    } else {
        output::text(&report)?;
    }
    Ok(match report.verdict {
        Verdict::Proven => Exit::Ok,
        Verdict::Broken => Exit::Failed,
        // A run that proves nothing has to be repeated.
        Verdict::NotProven(_) => Exit::TryLater,
    })
}

/// The error for a file that cannot be read, written or understood.
pub(super) fn unusable(error: &CaptureError) -> CliError {
    let exit = match error {
        CaptureError::File { source, .. } if source.kind() == ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::BadFile,
    };
    CliError::of(exit, error)
}
