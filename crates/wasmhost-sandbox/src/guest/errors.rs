//! The errors by which this crate ends a guest, told from the engine's own by their types.

/// The error by which the epoch callback ends a guest that used up its CPU time.
#[derive(Debug, thiserror::Error)]
#[error("CPU time is used up")]
pub(crate) struct CpuTimeUsedUp;

/// A call that asked for more than hosts give, by an interface that has no other way to refuse it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ImportLimitExceeded(pub(crate) String);
