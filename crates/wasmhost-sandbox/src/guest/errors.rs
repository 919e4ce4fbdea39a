//! The errors with which this crate ends a guest. Their types tell them from the errors of the engine.

/// The guest used up its CPU time; the callback at each epoch ends it with this error.
#[derive(Debug, thiserror::Error)]
#[error("CPU time is used up")]
pub(crate) struct CpuTimeUsedUp;

/// The guest called an import that has no error of its own for a request that is too large; the text says what it asked
/// for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ImportLimitExceeded(pub(crate) String);
