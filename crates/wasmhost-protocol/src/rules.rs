//! What follows from what is known: whether a delivery may run its job, what an outcome leads to, what became of a write.
//! Pure functions over the state machine.

mod claim;
mod decide;
mod due_message;
mod missing_job;
mod resolve_write;

pub use claim::{ClaimDecision, ClaimInput, decide_claim};
pub use decide::{Attempt, Decision, decide};
pub use due_message::{DueMessageDecision, DueMessageTimes, decide_due_message};
pub use missing_job::end_missing_job;
pub use resolve_write::{WriteResolution, resolve_write, still_owned};
