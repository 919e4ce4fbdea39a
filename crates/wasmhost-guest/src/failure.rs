//! The three ways to fail, each in one call.

use std::time::Duration;

use crate::bindings::wasmhost::task::types::{Failure, Retry, TaskError};

/// A failure after which the job's retry policy decides.
pub fn failed(message: impl Into<String>) -> TaskError {
    TaskError::Failed(Failure { message: message.into(), details: None })
}

/// A failure that should be tried again, after this delay where it is given.
pub fn retry(message: impl Into<String>, after: Option<Duration>) -> TaskError {
    let after = after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    TaskError::Retry(Retry { message: message.into(), details: None, after })
}

/// A failure that another attempt would not fix.
pub fn permanent(message: impl Into<String>) -> TaskError {
    TaskError::Permanent(Failure { message: message.into(), details: None })
}
