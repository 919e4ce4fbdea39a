//! Errors of the client: submitting, following and revoking jobs.

use wasmhost_client::{ResultError, RevokeError, StatusError, SubmitError};

use super::advice::with_advice;
use super::server::{of_object, of_read, of_write};
use crate::error::{CliError, Exit};
use crate::output::render;

impl From<SubmitError> for CliError {
    fn from(error: SubmitError) -> Self {
        let exit = match &error {
            SubmitError::NotPublished { .. }
            | SubmitError::Occupied { .. }
            | SubmitError::QueueFull { .. } => Exit::TryLater,
            SubmitError::Denied { .. } => Exit::Denied,
            SubmitError::NoAnswer { .. } | SubmitError::Unreachable { .. } => Exit::Unreachable,
            SubmitError::Unreadable { .. } | SubmitError::NotSetUp { .. } => Exit::Config,
            _ => Exit::Usage,
        };
        with_advice(exit, &error)
    }
}

impl From<StatusError> for CliError {
    fn from(error: StatusError) -> Self {
        with_advice(of_status(&error), &error)
    }
}

impl From<ResultError> for CliError {
    fn from(error: ResultError) -> Self {
        let exit = match &error {
            ResultError::Failed { error, record } => {
                let key = record.key();
                // The text of the client has the message alone, without what the guest said.
                return Self::new(Exit::Failed, format_args!("job {key} failed: {}", render::failure(error)));
            }
            ResultError::Revoked { .. } => Exit::Failed,
            ResultError::NotFound { .. } => Exit::NotFound,
            ResultError::Timeout { .. } => Exit::TryLater,
            ResultError::Blob { source, .. } => of_object(source),
            ResultError::Status(error) => of_status(error),
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
            // The text of the client names its own option, which is no flag.
            RevokeError::AlreadyRunning { key } => {
                return Self::new(
                    Exit::Failed,
                    format_args!("job {key} already runs: revoke it without --if-queued"),
                );
            }
            RevokeError::TooLate { .. } => Exit::Failed,
            RevokeError::Status(error) => of_status(error),
            RevokeError::Write { source, .. } => of_write(source),
            _ => Exit::Config,
        };
        with_advice(exit, &error)
    }
}

fn of_status(error: &StatusError) -> Exit {
    match error {
        StatusError::NotFound { .. } => Exit::NotFound,
        StatusError::Unreachable { source, .. } => of_read(source),
        StatusError::Subscribe { .. } => Exit::Unreachable,
        _ => Exit::Config,
    }
}

#[cfg(test)]
mod tests {
    use wasmhost_client::ReadError;
    use wasmhost_nats::LayoutError;
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
        assert_eq!(code(RevokeError::AlreadyRunning { key: key.clone() }.into()), 1);
        let source = ReadError::Unreachable { subject: why.clone(), text: why.clone() };
        assert_eq!(code(SubmitError::NoAnswer { key, source }.into()), 69);
        assert_eq!(code(ReadError::Denied { subject: why.clone(), text: why.clone() }.into()), 77);
        assert_eq!(code(LayoutError::JetStreamOff(why).into()), 78);
    }
}
