//! The decisions of the protocol, as pure functions over the state machine: what a host does with a delivery,
//! what follows from an outcome, what became of a write without an answer, how a job without a message ends,
//! and what happens to a due message that the job stream did not get.

mod claim;
mod decide;
mod due_message;
mod long_ended;
mod missing_job;
mod resolve_write;

pub use claim::{ClaimDecision, ClaimInput, decide_claim};
pub use decide::{Attempt, Decision, decide};
pub use due_message::{DueMessageDecision, DueMessageTimes, decide_due_message};
pub use missing_job::end_missing_job;
pub use resolve_write::{WriteResolution, resolve_write, still_owned};
