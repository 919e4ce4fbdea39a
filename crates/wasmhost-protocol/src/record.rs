//! The record of a job: the value under its key in the states bucket.

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
