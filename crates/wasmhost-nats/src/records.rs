//! Records in the states bucket: read from its leader, written only by compare-and-set. What a writer does after an
//! answer that tells it nothing (R5) is in `records::unknown`.

mod bucket;
mod delete;
mod list;
mod non_terminal;
mod stored_entry;
mod unknown;
mod write_error;

pub(crate) use bucket::ttl_seconds;
pub use bucket::{Records, SET_UP_WITHIN};
pub use list::JobFilter;
pub use non_terminal::{NonTerminal, ScanLimits};
pub(crate) use stored_entry::stored_entry_of;
pub use unknown::{OwnedWrite, Written};
pub use write_error::WriteError;
