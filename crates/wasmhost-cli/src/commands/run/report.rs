//! How a local run ended, as a message and as an exit code.

use wasmhost_protocol::duration::format_duration;
use wasmhost_protocol::json::Json;
use wasmhost_protocol::outcome::{Fault, Limit, Outcome, Verdict};
use wasmhost_protocol::record::{ErrorKind, JobError};
use wasmhost_protocol::text::escape;

use crate::error::{CliError, Exit};
use crate::output;
use crate::output::render;

/// Prints the result, or says why there is none.
pub(super) fn report(outcome: Outcome) -> Result<Exit, CliError> {
    let used = render::usage(&outcome.usage);
    let (exit, error) = match outcome.verdict {
        Verdict::Returned(result) => {
            output::note(format_args!("SUCCESS {used}"));
            output::line(output::safe_json(result.as_str()))?;
            return Ok(Exit::Ok);
        }
        Verdict::BadArguments(text) => {
            return Err(CliError::usage(format_args!("arguments refused: {}", escape(&text))));
        }
        Verdict::UnknownFunction(text) => return Err(CliError::usage(escape(&text))),
        verdict => failure(verdict),
    };
    if !outcome.denied.is_empty() {
        output::note(format_args!("denied: {}", escape(&outcome.denied.join(", "))));
    }
    output::note(format_args!("FAILURE {used}"));
    Err(CliError::new(exit, render::failure(&error)))
}

/// The exit code and the error, in the words of a record, of everything but a success.
fn failure(verdict: Verdict) -> (Exit, JobError) {
    let error = match verdict {
        Verdict::Failed { message, details } => with_details(ErrorKind::Failed, message, details),
        Verdict::Permanent { message, details } => with_details(ErrorKind::Permanent, message, details),
        Verdict::RetryAsked { message, details, after } => {
            let after = after.map(|after| format!(" in {}", format_duration(after))).unwrap_or_default();
            with_details(ErrorKind::Failed, format!("{message} (asks to be tried again{after})"), details)
        }
        Verdict::Panicked(fault) => broken(ErrorKind::Panicked, fault),
        Verdict::Trapped(fault) => broken(ErrorKind::Trapped, fault),
        Verdict::Exited(fault) => broken(ErrorKind::Exited, fault),
        Verdict::Exceeded(limit, fault) => broken(kind_of(limit), fault),
        Verdict::Cancelled => JobError::new(ErrorKind::Failed, "stopped on request"),
        Verdict::BadArguments(text) => return (Exit::Usage, JobError::new(ErrorKind::BadArguments, text)),
        Verdict::UnknownFunction(text) => {
            return (Exit::Usage, JobError::new(ErrorKind::UnknownFunction, text));
        }
        Verdict::UnknownModule(text) => {
            return (Exit::NotFound, JobError::new(ErrorKind::UnknownModule, text));
        }
        Verdict::BadModule(text) => return (Exit::BadFile, JobError::new(ErrorKind::BadModule, text)),
        Verdict::ModuleUnavailable(text) => {
            return (Exit::Config, JobError::new(ErrorKind::ModuleUnavailable, text));
        }
        Verdict::HostBug(text) => return (Exit::Config, JobError::new(ErrorKind::HostBug, text)),
        Verdict::Returned(_) => return (Exit::Ok, JobError::new(ErrorKind::HostBug, "it returned")),
    };
    (Exit::JobFailed, error)
}

fn with_details(kind: ErrorKind, message: String, details: Option<Json>) -> JobError {
    JobError { details, ..JobError::new(kind, message) }
}

/// The error of a guest that broke. What it wrote to standard error was printed line by line already.
fn broken(kind: ErrorKind, fault: Fault) -> JobError {
    JobError { backtrace: fault.backtrace, ..JobError::new(kind, fault.message) }
}

fn kind_of(limit: Limit) -> ErrorKind {
    match limit {
        Limit::Memory => ErrorKind::OutOfMemory,
        Limit::Cpu => ErrorKind::CpuLimit,
        Limit::Wall => ErrorKind::TimedOut,
        Limit::Fuel => ErrorKind::OutOfFuel,
        Limit::Tables | Limit::Instances | Limit::Result => ErrorKind::LimitExceeded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_the_job_from_the_arguments_and_the_file() {
        let exit = |verdict| report(Outcome::without_run(verdict)).unwrap_err().exit;
        assert_eq!(exit(Verdict::Failed { message: String::new(), details: None }), Exit::JobFailed);
        assert_eq!(exit(Verdict::Trapped(Fault::default())), Exit::JobFailed);
        assert_eq!(exit(Verdict::BadArguments("width: missing".to_owned())), Exit::Usage);
        assert_eq!(exit(Verdict::BadModule(String::new())), Exit::BadFile);
    }
}
