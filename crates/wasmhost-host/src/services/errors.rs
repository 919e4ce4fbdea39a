//! The client's errors as service errors. What the requester cannot change is `Unavailable`.

use std::fmt::Display;

use wasmhost_client::{RevokeError, StatusError, SubmitError};
use wasmhost_protocol::service::{ServiceError, ServiceErrorKind};
use wasmhost_protocol::text::escape;

/// Returns the error of a request that asks for something impossible.
pub(super) fn bad_request(error: &dyn Display) -> ServiceError {
    service_error(ServiceErrorKind::BadRequest, error)
}

/// Returns a service error with the text of `error`.
pub(super) fn service_error(kind: ServiceErrorKind, error: &dyn Display) -> ServiceError {
    // The text may contain what a stranger sent, and whoever asked prints it as it is.
    ServiceError { kind, message: escape(&error.to_string()) }
}

/// Returns the service error of a submission that failed.
pub(super) fn submit_error(error: &SubmitError) -> ServiceError {
    let kind = match error {
        SubmitError::Conflict { .. } => ServiceErrorKind::Conflict,
        SubmitError::NotPublished { .. } => ServiceErrorKind::NotPublished,
        SubmitError::QueueFull { .. } => ServiceErrorKind::QueueFull,
        SubmitError::Refused(_)
        | SubmitError::Option(_)
        | SubmitError::NotJson { .. }
        | SubmitError::UnknownModule { .. }
        | SubmitError::UnknownTask { .. }
        | SubmitError::BadArguments { .. }
        | SubmitError::TooFar { .. }
        | SubmitError::TooLarge { .. }
        | SubmitError::OverServerLimit { .. } => ServiceErrorKind::BadRequest,
        _ => ServiceErrorKind::Unavailable,
    };
    service_error(kind, error)
}

/// Returns the service error of a record that could not be read.
pub(super) fn status_error(error: &StatusError) -> ServiceError {
    let kind = match error {
        StatusError::NotFound { .. } => ServiceErrorKind::NotFound,
        _ => ServiceErrorKind::Unavailable,
    };
    service_error(kind, error)
}

/// Returns the service error of a revoke that failed.
pub(super) fn revoke_error(error: &RevokeError) -> ServiceError {
    let kind = match error {
        RevokeError::Grace(_) => ServiceErrorKind::BadRequest,
        RevokeError::NotFound { .. } => ServiceErrorKind::NotFound,
        RevokeError::AlreadyRunning { .. } => ServiceErrorKind::AlreadyRunning,
        _ => ServiceErrorKind::Unavailable,
    };
    service_error(kind, error)
}
