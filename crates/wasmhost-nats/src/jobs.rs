//! Messages of the job stream: publishing them so that no second one for a key can be stored, and looking them up at
//! the stream's leader.

mod error;
mod lookup;
mod publish;

pub use error::PublishError;
pub use lookup::{is_stored_at, message_at, message_of, message_on, next_undeliverable, remove_job};
pub use publish::{Published, publish_job};
pub(crate) use publish::{job_publication, message_id};
