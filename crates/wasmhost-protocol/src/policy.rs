//! Policies: what a module's attempts may use and how its jobs are retried. A policy is written by whoever
//! pushes the module, so that it can only ask; the [`Ceiling`] of the claiming host decides.

mod ceiling;
mod limits;
mod module;
mod retry;
mod review;

pub use ceiling::{Ceiling, OverCeiling};
pub use limits::Limits;
pub use module::Policy;
pub use retry::RetryPolicy;
pub use review::{BadPolicy, SettingOutOfBounds};
