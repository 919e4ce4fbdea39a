//! Messages of the job stream: published so that no second one for a key can stand, and looked up at the leader.

mod error;
mod lookup;
mod publish;

pub use error::PublishError;
pub use lookup::{message_at, message_of, message_on, next_out_of_reach, remove_job, stands_at};
pub use publish::{Published, publish_job};
pub(crate) use publish::{job_headers, message_id};
