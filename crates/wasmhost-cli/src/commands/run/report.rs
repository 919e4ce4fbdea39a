//! How a local run ended, as a message and as an exit code.

use wasmhost_protocol::duration::format_duration;
use wasmhost_protocol::outcome::{Outcome, Verdict};
use wasmhost_protocol::record::JobError;
use wasmhost_protocol::text::escape;

use crate::error::{CliError, Exit};
use crate::output;
use crate::output::render;

/// Prints the result, or says why there is none.
pub(super) fn report(outcome: &Outcome) -> Result<Exit, CliError> {
    let used = render::usage(&outcome.usage);
    let error = match outcome.verdict.result() {
        Ok(result) => {
            output::note(format_args!("SUCCESS {used}"));
            output::line(output::safe_json(result.as_str()))?;
            return Ok(Exit::Ok);
        }
        Err(error) => error,
    };
    if let Verdict::BadArguments(text) = &outcome.verdict {
        return Err(CliError::usage(format_args!("arguments refused: {}", escape(text))));
    }
    if let Verdict::UnknownFunction(text) = &outcome.verdict {
        return Err(CliError::usage(escape(text)));
    }
    if !outcome.denied.is_empty() {
        output::note(format_args!("denied: {}", escape(&outcome.denied.join(", "))));
    }
    output::note(format_args!("FAILURE {used}"));
    let error = asked_again(&outcome.verdict, error);
    Err(CliError::new(exit_of(&outcome.verdict), render::failure(&error)))
}

/// A task that asks for another attempt gets none here: the message says that it asked.
fn asked_again(verdict: &Verdict, mut error: JobError) -> JobError {
    if let Verdict::RetryAsked { after, .. } = verdict {
        let after = after.map(|after| format!(" in {}", format_duration(after))).unwrap_or_default();
        error.message.push_str(&format!(" (asks to be tried again{after})"));
    }
    error
}

/// How the program ends.
fn exit_of(verdict: &Verdict) -> Exit {
    match verdict {
        Verdict::Returned(_) => Exit::Ok,
        Verdict::BadArguments(_) | Verdict::UnknownFunction(_) => Exit::Usage,
        Verdict::UnknownModule(_) => Exit::NotFound,
        Verdict::BadModule(_) => Exit::BadFile,
        Verdict::ModuleUnavailable(_) | Verdict::HostBug(_) => Exit::Config,
        Verdict::Failed { .. }
        | Verdict::RetryAsked { .. }
        | Verdict::Permanent { .. }
        | Verdict::Panicked(_)
        | Verdict::Trapped(_)
        | Verdict::Exited(_)
        | Verdict::Exceeded(..)
        | Verdict::Cancelled => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use wasmhost_protocol::outcome::Fault;

    use super::*;

    #[test]
    fn exit_codes_tell_the_job_from_the_arguments_and_the_file() {
        let exit = |verdict| report(&Outcome::without_run(verdict)).unwrap_err().exit;
        assert_eq!(exit(Verdict::Failed { message: String::new(), details: None }), Exit::Failed);
        assert_eq!(exit(Verdict::Trapped(Fault::default())), Exit::Failed);
        assert_eq!(exit(Verdict::BadArguments("width: missing".to_owned())), Exit::Usage);
        assert_eq!(exit(Verdict::BadModule(String::new())), Exit::BadFile);
    }
}
