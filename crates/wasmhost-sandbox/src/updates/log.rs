//! Log lines of a guest.

use wasmhost_protocol::json::Json;

/// The level of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Every step of the program.
    Trace,
    /// What the author of the program may want to know.
    Debug,
    /// What happens as it should.
    Info,
    /// Something is unusual.
    Warn,
    /// Something is wrong.
    Error,
}

/// Where a log line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// The interface `wasmhost:task/log`.
    Guest,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One log line, with control characters escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// Its level; [`LogLevel::Info`] for standard output and error.
    pub level: LogLevel,
    /// Where it comes from.
    pub stream: LogStream,
    /// The text of the line.
    pub message: String,
    /// What the guest logged beside the text: a JSON object, or a JSON string where it was no object.
    pub fields: Option<Json>,
}

impl LogLine {
    /// The memory that the line takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.message.len()
            + self.fields.as_ref().map_or(0, |fields| fields.as_str().len())
    }
}
