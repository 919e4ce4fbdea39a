//! Schedules of delayed jobs: messages that the server itself publishes when they are due.

mod room;
mod schedule;
mod sourcing;

pub use schedule::{latest, schedule_job, schedule_of, unschedule};
pub use sourcing::{Sourcing, sourcing};
