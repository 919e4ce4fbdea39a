//! The three ways in which a task can fail.

use std::time::Duration;

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
