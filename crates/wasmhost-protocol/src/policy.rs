//! What a module may use and how its jobs are retried: stored with the module, so it can only ask.

mod ceiling;
mod limits;
mod module;
mod retry;
mod review;

pub use ceiling::{Ceiling, Over};
pub use limits::Limits;
pub use module::Policy;
pub use retry::RetryPolicy;
pub use review::{BadPolicy, Beside};
