//! The record of a job, which is the value under the job's key in the states bucket: its fields, its state,
//! its written form, and what a reader may find in its place.

mod ended;
mod error;
mod fields;
mod parts;
mod state;
mod stored_entry;
mod wire;

pub use error::{ErrorKind, JobError};
pub use fields::{Record, RecordFields};
pub use parts::{BlobRef, DeliveryOrdinal, Payload, Revoke, Token, Usage, WriteId};
pub use state::{End, JobState, RunningLabel, StateLabel};
pub use stored_entry::{Marker, StoredEntry};
pub use wire::{RECORD_VERSION, RecordError};
