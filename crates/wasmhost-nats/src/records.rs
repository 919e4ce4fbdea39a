//! The records of jobs in the states bucket. They are read from the bucket's leader and written only by
//! compare-and-set; what a writer does after an answer that tells it nothing is in `records/write.rs`.

mod bucket;
mod compare_and_set;
mod delete;
mod filter;
mod list;
mod notice;
mod read;
mod read_on;
mod stored_entry;
mod write;
mod write_error;

pub use bucket::Records;
pub(crate) use compare_and_set::ttl_seconds;
pub use filter::JobFilter;
pub use notice::{EndNotice, Told};
pub use read::SET_UP_WITHIN;
pub use read_on::{BucketPart, Revision};
pub(crate) use stored_entry::stored_entry_of;
pub use write::{OwnedWrite, Written};
pub use write_error::WriteError;
