//! The three ways to fail, each in one call, and what a refused update or checkpoint fails with.

use std::time::Duration;

use crate::bindings::wasmhost::task::checkpoint::SaveError;
use crate::bindings::wasmhost::task::state::UpdateError;
use crate::bindings::wasmhost::task::types::{Failure, Retry, TaskError};

/// Makes a failure after which the job's retry policy decides whether there is another attempt.
///
/// ```
/// use wasmhost_guest::{TaskError, failed};
///
/// fn invoice(number: u32) -> Result<u32, TaskError> {
///     number.checked_sub(1).ok_or_else(|| failed("there is no invoice 0"))
/// }
/// ```
pub fn failed(message: impl Into<String>) -> TaskError {
    TaskError::Failed(Failure { message: message.into(), details: None })
}

/// Makes a failure after which the task asks for another attempt, after this delay where one is given. The job's number of
/// attempts still bounds it.
pub fn retry(message: impl Into<String>, after: Option<Duration>) -> TaskError {
    let after = after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    TaskError::Retry(Retry { message: message.into(), details: None, after })
}

/// Makes a failure that another attempt would not fix. The job ends with it.
pub fn permanent(message: impl Into<String>) -> TaskError {
    TaskError::Permanent(Failure { message: message.into(), details: None })
}

/// Lets a task end with `?` where a state was not taken.
impl From<UpdateError> for TaskError {
    fn from(error: UpdateError) -> Self {
        match error {
            // After a revoke the record says REVOKED, whatever the task returns; after the soft time limit this is
            // the attempt's own end.
            UpdateError::Cancelled => failed("stopped on request"),
            UpdateError::InvalidState(why) => permanent(format!("the state was not taken: {why}")),
            UpdateError::TooLarge(limit) => permanent(format!("the meta is larger than {limit} bytes")),
        }
    }
}

/// Lets a task end with `?` where a checkpoint was not taken.
impl From<SaveError> for TaskError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Cancelled => failed("stopped on request"),
            SaveError::TooLarge(limit) => permanent(format!("the checkpoint is larger than {limit} bytes")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_that_is_too_large_is_not_tried_again() {
        let error = TaskError::from(SaveError::TooLarge(8));
        assert!(
            matches!(error, TaskError::Permanent(failure) if failure.message == "the checkpoint is larger than 8 bytes")
        );
    }

    #[test]
    fn what_is_not_taken_says_why() {
        let error = TaskError::from(UpdateError::InvalidState("`lower` is no name".to_owned()));
        assert!(
            matches!(error, TaskError::Permanent(failure) if failure.message == "the state was not taken: `lower` is no name")
        );
    }
}
