//! Advice that depends on nothing but the exit code.

use std::error::Error;

use crate::error::{CliError, Exit, chain};

/// What to do where nothing answers for a stream.
const NO_STREAMS: &str = "check that JetStream is on, and by its log that its disk has room; streams and buckets are made by the first `wasmhost \
     serve`";

/// What to do where a permission is missing.
const NO_PERMISSION: &str = "sign in as a user who may, see --creds and the server's configuration";

/// The message of `error` and of its causes, with the advice that belongs to the exit code.
pub(super) fn with_advice(exit: Exit, error: &(dyn Error + 'static)) -> CliError {
    let text = chain(error);
    match exit {
        Exit::Unreachable => CliError::new(exit, format_args!("{text}; {NO_STREAMS}")),
        Exit::Denied => CliError::new(exit, format_args!("{text}; {NO_PERMISSION}")),
        Exit::Ok
        | Exit::Failed
        | Exit::Usage
        | Exit::BadFile
        | Exit::NotFound
        | Exit::TryLater
        | Exit::Config
        | Exit::Interrupted => CliError::new(exit, text),
    }
}
