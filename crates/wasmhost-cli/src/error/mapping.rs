//! Which exit code and which fix belong to an error of the client, the registry or the server's layout.

use std::error::Error;

use wasmhost_client::{ReadError, RegistryError, ResultError, RevokeError, StatusError, SubmitError};
use wasmhost_nats::{LayoutError, WriteError, blobs::ObjectError};

use super::cli_error::{CliError, chain};
use super::exit_code::Exit;
use crate::output::render;

/// What to do where nothing answers for a stream.
const NO_STREAMS: &str = "check that JetStream is on, and by its log that its disk has room; streams and buckets are made by the first `wasmhost \
     serve`";

/// What to do where a permission is missing.
const NO_PERMISSION: &str = "sign in as a user who may, see --creds and the server's configuration";

fn with_advice(exit: Exit, error: &(dyn Error + 'static)) -> CliError {
    let text = chain(error);
    match exit {
        Exit::Unreachable => CliError::new(exit, format_args!("{text}; {NO_STREAMS}")),
        Exit::Denied => CliError::new(exit, format_args!("{text}; {NO_PERMISSION}")),
        Exit::Ok
        | Exit::JobFailed
        | Exit::Usage
        | Exit::BadFile
        | Exit::NotFound
        | Exit::Full
        | Exit::Config
        | Exit::Interrupted => CliError::new(exit, text),
    }
}

impl From<SubmitError> for CliError {
    fn from(error: SubmitError) -> Self {
        let exit = match &error {
            SubmitError::NotPublished { .. }
            | SubmitError::Occupied { .. }
            | SubmitError::QueueFull { .. } => Exit::Full,
            SubmitError::Denied { .. } => Exit::Denied,
            SubmitError::Unreachable { .. } => Exit::Unreachable,
            SubmitError::Unreadable { .. } | SubmitError::NotSetUp { .. } => Exit::Config,
            _ => Exit::Usage,
        };
        with_advice(exit, &error)
    }
}

impl From<StatusError> for CliError {
    fn from(error: StatusError) -> Self {
        with_advice(status(&error), &error)
    }
}

impl From<ResultError> for CliError {
    fn from(error: ResultError) -> Self {
        let exit = match &error {
            ResultError::Failed { error, record } => {
                let key = record.key();
                return Self::new(
                    Exit::JobFailed,
                    format_args!("job {key} failed: {}", render::failure(error)),
                );
            }
            ResultError::Revoked { .. } => Exit::JobFailed,
            ResultError::NotFound { .. } => Exit::NotFound,
            ResultError::Timeout { .. } => Exit::Full,
            ResultError::Blob { source, .. } => object(source),
            ResultError::Status(error) => status(error),
            _ => Exit::Config,
        };
        with_advice(exit, &error)
    }
}

impl From<RevokeError> for CliError {
    fn from(error: RevokeError) -> Self {
        let exit = match &error {
            RevokeError::Grace(_) => Exit::Usage,
            RevokeError::NotFound { .. } => Exit::NotFound,
            RevokeError::AlreadyRunning { key } => {
                return Self::new(
                    Exit::JobFailed,
                    format_args!("job {key} already runs: revoke it without --if-queued"),
                );
            }
            RevokeError::TooLate { .. } => Exit::JobFailed,
            RevokeError::Status(error) => status(error),
            RevokeError::Write { source, .. } => write(source),
            _ => Exit::Config,
        };
        with_advice(exit, &error)
    }
}

impl From<ReadError> for CliError {
    fn from(error: ReadError) -> Self {
        with_advice(read(&error), &error)
    }
}

impl From<RegistryError> for CliError {
    fn from(error: RegistryError) -> Self {
        let exit = match &error {
            RegistryError::Unknown(name) => {
                let text = format!("module {name} is not found: see `wasmhost module list`");
                return Self::new(Exit::NotFound, text);
            }
            RegistryError::NoSuchVersion(name) => {
                let text = format!("module {name} has no such version: see `wasmhost module show {name}`");
                return Self::new(Exit::NotFound, text);
            }
            RegistryError::TooLarge { .. } => Exit::BadFile,
            RegistryError::Policy { .. } => Exit::Config,
            RegistryError::Contended(_) | RegistryError::Full { .. } => Exit::Full,
            RegistryError::Denied { .. } => Exit::Denied,
            RegistryError::Read(error) => read(error),
            RegistryError::Object(error) => object(error),
            _ => Exit::Unreachable,
        };
        with_advice(exit, &error)
    }
}

impl From<LayoutError> for CliError {
    fn from(error: LayoutError) -> Self {
        let exit = match &error {
            LayoutError::Denied { .. } => Exit::Denied,
            LayoutError::Unreachable { .. } => Exit::Unreachable,
            _ => Exit::Config,
        };
        with_advice(exit, &error)
    }
}

fn status(error: &StatusError) -> Exit {
    match error {
        StatusError::NotFound { .. } => Exit::NotFound,
        StatusError::Unreachable { source, .. } => read(source),
        StatusError::Subscribe { .. } => Exit::Unreachable,
        _ => Exit::Config,
    }
}

fn read(error: &ReadError) -> Exit {
    match error {
        ReadError::Denied { .. } => Exit::Denied,
        ReadError::NotSetUp { .. } => Exit::Config,
        _ => Exit::Unreachable,
    }
}

fn write(error: &WriteError) -> Exit {
    match error {
        WriteError::Full { .. } => Exit::Full,
        WriteError::Denied { .. } => Exit::Denied,
        WriteError::TooLarge(_) | WriteError::NotSetUp { .. } => Exit::Config,
        _ => Exit::Unreachable,
    }
}

fn object(error: &ObjectError) -> Exit {
    match error {
        ObjectError::Missing(_) => Exit::NotFound,
        ObjectError::Denied { .. } => Exit::Denied,
        ObjectError::Full { .. } => Exit::Full,
        ObjectError::NotSetUp { .. } => Exit::Config,
        ObjectError::Link(_) | ObjectError::TooLarge { .. } | ObjectError::Corrupt { .. } => Exit::BadFile,
        _ => Exit::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use wasmhost_protocol::ids::{JobKey, QueueName};

    use super::*;

    #[test]
    fn errors_have_the_exit_codes_that_scripts_rely_on() {
        let key = JobKey::parse("a.b.c").unwrap();
        let why = "why".to_owned();
        let queue = QueueName::default_queue();
        let code = |cli_error: CliError| cli_error.exit.code();
        assert_eq!(code(SubmitError::Conflict { key: key.clone() }.into()), 2);
        assert_eq!(code(SubmitError::QueueFull { queue, why: why.clone() }.into()), 75);
        assert_eq!(code(SubmitError::Denied { key: key.clone(), why: why.clone() }.into()), 77);
        assert_eq!(code(SubmitError::Unreachable { key: key.clone(), why: why.clone() }.into()), 69);
        assert_eq!(code(StatusError::NotFound { key: key.clone() }.into()), 66);
        assert_eq!(code(RevokeError::AlreadyRunning { key }.into()), 1);
        assert_eq!(code(ReadError::Denied { subject: why.clone(), text: why.clone() }.into()), 77);
        assert_eq!(code(LayoutError::JetStreamOff(why).into()), 78);
    }
}
