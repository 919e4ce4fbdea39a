//! Log lines of a guest.

use wasmhost_protocol::json::Json;
use wasmhost_protocol::log::{LogLevel, LogStream};

/// One log line, with control characters escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuestLine {
    /// Its level; [`LogLevel::Info`] for standard output and error.
    pub level: LogLevel,
    /// Where it comes from.
    pub stream: LogStream,
    /// The text of the line.
    pub message: String,
    /// What the guest logged beside the text: a JSON object, or a JSON string where it was no object.
    pub fields: Option<Json>,
}

impl GuestLine {
    /// The memory that the line takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.message.len()
            + self.fields.as_ref().map_or(0, |fields| fields.as_str().len())
    }
}
