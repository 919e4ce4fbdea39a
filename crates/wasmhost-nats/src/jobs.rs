//! Messages of the job stream: publishing them so that no second one for a key can be stored, and looking them up at
//! the stream's leader.

mod error;
mod lookup;
mod publish;

pub use error::PublishError;
pub use lookup::{message_at, message_of, message_on, next_out_of_reach, remove_job, stands_at};
pub use publish::{Published, publish_job};
pub(crate) use publish::{job_headers, message_id};
